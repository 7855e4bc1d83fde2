import t from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { backend } from '../workers/running-workers.ts';
import { configurationFile } from './configuration.ts';
import { runProgram } from './run-program.ts';
import { TurnoutProcess } from './turnout-process.ts';

t.setTimeout(180_000);

void t.test('workers on Redis and Postgres move a cohort together, from the command line', async (t) => {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)]);
  const [legacy, next] = await Promise.all(
    ['legacy', 'new'].map((name) => backend(t, (_incoming, response) => response.end(name))),
  );
  const file = await configurationFile(
    t,
    `
listen: { port: 0 }
admin: { listen: { port: 0 } }
workers: 2
backends:
  legacy: { url: "http://127.0.0.1:${legacy}" }
  new: { url: "http://127.0.0.1:${next}" }
state: { kind: redis, url: "${redis.url}", keyPrefix: "${redis.prefix}" }
record: { kind: postgres, url: "${postgres.url}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
`,
  );
  const turnout = new TurnoutProcess(t, ['start', '--config', file]);
  const { port, adminPort } = await turnout.ports();
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${adminPort}` };
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
