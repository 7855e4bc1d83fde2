import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runProgram } from './run-program.ts';
import { twoWorkers } from './two-workers.ts';

t.setTimeout(240_000);

const TOKEN = 'a-token-that-is-long-enough-for-everybody';

void t.test('workers on Redis and Postgres take members, roll back and are rebuilt', async (t) => {
  const { turnout, file, port, adminUrl } = await twoWorkers(
    t,
    `[{ name: boss, role: admin, token: ${TOKEN} }]`,
  );
  const env = { TURNOUT_ADMIN_URL: adminUrl, TURNOUT_TOKEN: TOKEN };
  const ask = (...args: string[]) => runProgram(args, env);
  const cli = (...args: string[]) => ask(...args, '--reason', 'because', '--yes');
  /** Of every worker, whichever is asked. */
  const owners = async (user: string, method = 'GET') => {
    const each = Array.from({ length: 12 }, async () => {
      const headers = { 'x-user': user, connection: 'close' };
      return (await fetch(`http://127.0.0.1:${port}/`, { method, headers })).text();
    });
    return [...new Set(await Promise.all(each))];
  };

  t.match(await cli('cohort', 'create', 'sydney'), { code: 0 });
  t.match(await cli('stage', 'sydney', 'live'), { code: 0 });
  const users = join(dirname(file), 'users.txt');
  await writeFile(users, Array.from({ length: 6_000 }, (_, n) => `u${n}\n`).join(''));
  const added = await cli('cohort', 'add', 'sydney', '--file', users);
  t.match(added, { code: 0, out: /^6,000 users added to cohort sydney/u });
  t.same(await owners('u5999'), ['new'], 'each of them went through the barrier');
  t.same(await owners('stranger'), ['legacy']);
  t.same(await owners('u7', 'POST'), ['new']);

  t.match(await cli('rollback', 'sydney', '--dirty-users', 'keep'), {
    code: 0,
    out: /1 user stayed in new, pinned/u,
  });
  t.same([await owners('u8', 'POST'), await owners('u7', 'POST')], [['legacy'], ['new']]);
  t.match(await cli('user', 'pin', 'stranger', 'new'), { code: 0 });
  t.same(await owners('stranger'), ['new']);

  t.match(await cli('rebuild'), { code: 0, out: /^the state map is \S+ from epoch \d+000000 on\n$/u });
  t.same(await owners('stranger'), ['new']);
  t.match(await cli('user', 'unpin', 'stranger'), { code: 0 });
  t.same(await owners('stranger'), ['legacy']);

  const doctor = await ask('doctor', '--config', file);
  t.equal(doctor.code, 0, doctor.out);
  t.match(doctor.out, /^ok +leases +2 gateways, all of them live$/mu);
  t.match(doctor.out, /^ok +token +role admin$/mu);
  turnout.signal('SIGTERM');
  t.equal(await turnout.end(), 0);
});
