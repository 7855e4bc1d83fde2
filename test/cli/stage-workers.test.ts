import t from 'tap';
import { runProgram } from './run-program.ts';
import { twoWorkers } from './two-workers.ts';

t.setTimeout(180_000);

void t.test('workers on Redis and Postgres move a cohort together, from the command line', async (t) => {
  const { turnout, port, adminUrl } = await twoWorkers(t);
  const env = { TURNOUT_ADMIN_URL: adminUrl };
  const answers = async () => {
    const each = Array.from({ length: 20 }, async () => {
      const headers = { 'x-user': 'u1', connection: 'close' };
      return (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
    });
    return [...new Set(await Promise.all(each))];
  };
  t.same(await answers(), ['legacy']);
  const refused = await runProgram(['stage', 'everyone', 'live', '--reason', 'r'], env);
  t.match(refused, { code: 64, err: /2 gateways must agree/u });
  const moved = await runProgram(['stage', 'everyone', 'live', '--reason', 'r', '--yes'], env);
  t.match(moved, { code: 0, out: /is live at 100 % on every gateway/u });
  t.same(await answers(), ['new'], 'whichever worker is asked');
  const { registry } = JSON.parse((await runProgram(['status', '--json'], env)).out);
  t.match(registry, [{ state: 'live' }, { state: 'live' }]);
  turnout.signal('SIGTERM');
  t.equal(await turnout.end(), 0);
});
