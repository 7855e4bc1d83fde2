import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { backend } from '../workers/running-workers.ts';
import { configurationFile } from './configuration.ts';
import { runProgram } from './run-program.ts';
import { TurnoutProcess } from './turnout-process.ts';

t.setTimeout(240_000);

void t.test(
  'cohorts, members, pins and a rollback from the command line, on the embedded stores',
  async (t) => {
    const [legacy, next] = await Promise.all(
      ['legacy', 'new'].map((name) =>
        backend(t, (incoming, response) => {
          incoming.resume();
          response.end(name);
        }),
      ),
    );
    const file = await configurationFile(
      t,
      `
listen: { port: 0 }
admin:
  listen: { port: 0 }
  tokens: [{ name: boss, role: admin, token: a-token-that-is-long-enough-for-everybody }]
backends:
  legacy: { url: "http://127.0.0.1:${legacy}" }
  new: { url: "http://127.0.0.1:${next}" }
record: { kind: embedded, dir: "${t.testdirName}/data" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts: [{ name: everyone, default: true, stage: off }]
`,
    );
    t.match(await runProgram(['db', 'migrate', '--config', file], {}), { code: 0, out: /ran migration 1/u });
    const turnout = new TurnoutProcess(t, ['start', '--config', file]);
    const { port, adminPort } = await turnout.ports();
    const env = {
      TURNOUT_ADMIN_URL: `http://127.0.0.1:${adminPort}`,
      TURNOUT_TOKEN: 'a-token-that-is-long-enough-for-everybody',
    };
    const cli = (...args: string[]) => runProgram([...args, '--reason', 'because'], env);
    const ask = (...args: string[]) => runProgram(args, env);
    const send = async (method: string, user: string) => {
      const headers = { 'x-user': user, connection: 'close' };
      return (await fetch(`http://127.0.0.1:${port}/`, { method, headers })).text();
    };

    t.match(await cli('cohort', 'create', 'sydney'), {
      code: 0,
      out: /^cohort sydney is there since epoch \d+/u,
    });
    t.match(await cli('cohort', 'create', 'sydney'), { code: 2, err: /such a cohort already/u });
    const users = join(dirname(file), 'users.txt');
    const list = Array.from({ length: 1_200 }, (_, n) => `u${n}`);
    await writeFile(users, `${list.join('\n')}\n${'x'.repeat(300)}\n`);
    t.match(await cli('cohort', 'add', 'sydney', '--file', users, '--yes'), {
      code: 4,
      out: /^1,200 users added to cohort sydney, on every gateway since epoch \d+\n$/u,
      err: /line 1201 refused/u,
    });
    t.match(await cli('cohort', 'add', 'sydney', '--file', users, '--yes'), {
      code: 4,
      out: /^0 users added.*1,200 were so already/u,
    });
    t.same((await ask('cohort', 'members', 'sydney')).out.trimEnd().split('\n').toSorted(), list.toSorted());

    const sentence =
      /^1,200 users of cohort sydney: reads and writes move from legacy to new; 1 gateway has to agree/u;
    t.match(await cli('stage', 'sydney', 'live'), { code: 64, err: sentence });
    t.match(await cli('stage', 'sydney', 'live', '--yes'), { code: 0 });
    t.same([await send('GET', 'u1'), await send('GET', 'stranger')], ['new', 'legacy']);
    t.equal(await send('POST', 'u1'), 'new');

    const preview = await cli('rollback', 'sydney', '--dry-run');
    t.match(preview, { code: 0, out: /^dirty +1 user wrote to new since the switch: u1$/mu });
    const back = await cli('rollback', 'sydney', '--yes');
    t.match(back, { code: 0, out: /is back at shadow .*\n1 user stayed in new, pinned/u });
    t.same([await send('POST', 'u2'), await send('POST', 'u1')], ['legacy', 'new']);
    const [change] = JSON.parse((await ask('changes', '--kind', 'rollback', '--json')).out);
    t.match(change, { dirty: 1, dirtyUsers: 'drain', phase: 'done' });
    t.equal((await ask('changes', change.id, '--dirty')).out, 'u1\n');

    t.match(await ask('user', 'show', 'u1'), { code: 0, out: /pinned to +new[^]*writes in new +yes/u });
    t.match(await cli('user', 'pin', 'u1', 'legacy', '--yes'), { code: 1, err: /Writes would be stranded/u });
    t.match(await cli('user', 'pin', 'u1', 'legacy', '--dirty-users', 'force', '--yes'), { code: 0 });
    t.equal(await send('GET', 'u1'), 'legacy');
    t.match(await cli('user', 'unpin', 'u1', '--yes'), { code: 0, out: /no longer pinned/u });

    t.match(await cli('cohort', 'edit', 'sydney', '--position', '0', '--yes'), { code: 0 });
    t.match(JSON.parse((await ask('cohort', 'list', '--json')).out), [
      { name: 'sydney' },
      { name: 'everyone' },
    ]);
    t.match(await cli('cohort', 'remove', 'sydney', '--file', users, '--yes'), {
      code: 4,
      out: /^1,200 users taken out/u,
    });
    t.match(await cli('cohort', 'delete', 'sydney', '--yes'), { code: 0 });
    t.match(await cli('rollback', 'everyone', '--yes'), { code: 1, err: /nothing to roll back/u });

    const doctor = await ask('doctor', '--config', file);
    t.equal(doctor.code, 0, doctor.out);
    t.match(doctor.out, /^ok +record +.*in use: a gateway runs on it/mu);
    turnout.signal('SIGTERM');
    t.equal(await turnout.end(), 0);
  },
);
