import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import t, { type Test } from 'tap';
import { ABSENT_RECORD } from '../../src/model.ts';
import { FakeControl, gatewayView } from '../admin/fake-control.ts';
import { openAdmin, TOKENS } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';
import { runProgram } from './run-program.ts';

async function open(t: Test) {
  const control = new FakeControl();
  const membership = { cohort: 'beta', ordinal: undefined, by: 'rule' } as const;
  for (const user of ['u1', 'u2', 'u3']) control.records.set(user, { ...ABSENT_RECORD, membership });
  const { port } = await openAdmin(t, { control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  return { control, env, cli, port };
}

const LIVE = ['stage', 'beta', 'live', '--reason', 'the figures are good'];
const SENTENCE =
  '50 % of the 3 users of cohort beta: reads and writes move from legacy to new; 2 gateways must agree';

void t.test('a stage that moves users is confirmed in words, then in force', async (t) => {
  const { control, cli } = await open(t);
  const no = await cli(LIVE, { answer: 'n' });
  t.match(no, { code: 1, out: '', err: /Nothing was changed/u });
  t.ok(no.err.startsWith(`${SENTENCE}.\nGo on? [y/N] `), no.err);
  t.match(await cli(LIVE, { answer: '' }), { code: 1 }, 'silence is no');
  t.same(control.asked, []);
  const { code, out } = await cli(LIVE, { answer: 'yes' });
  t.equal(code, 0);
  t.match(out, /^cohort beta is live at 50 % on every gateway, since epoch 7 \(change [0-9a-f-]{36}\)\n$/u);
  t.match(control.asked, [{ stage: 'live', reason: 'the figures are good', actor: 'local' }]);
});

void t.test('gateways that the change would wait for are named before anybody confirms', async (t) => {
  const { control, cli } = await open(t);
  control.gatewayViews = [gatewayView('g1', { verdict: 'fenced' }), gatewayView('g2', { verdict: 'silent' })];
  const { err } = await cli(LIVE, { answer: 'n' });
  t.match(err, /^Gateway g1 \(host-g1, process 1\) is fenced\.\nGateway g2 \(.*\) was not seen alive yet/u);
});

void t.test('without a terminal and without --yes nothing moves', async (t) => {
  const { control, env } = await open(t);
  const refused = await runProgram(LIVE, env);
  t.match(refused, { code: 64, out: '' });
  t.equal(refused.err, `${SENTENCE}. Nobody is at a terminal to confirm it: add --yes.\n`);
  t.same(control.asked, []);
  t.match(await runProgram([...LIVE, '--yes'], env), { code: 0, out: /is live at 50 %/u, err: '' });
  t.equal(control.asked.length, 1);
});

void t.test('a stage that moves nobody is not confirmed', async (t) => {
  const { control, cli } = await open(t);
  t.match(await cli(['stage', 'beta', 'dualwrite', '--reason', 'r']), { code: 0 });
  t.match(control.asked, [{ stage: 'dualwrite' }]);
});

void t.test('ramp and expected epoch are passed on; every call has a key of its own', async (t) => {
  const { control, cli } = await open(t);
  const args = [...LIVE, '--yes', '--expected-epoch', '4', '--ramp'];
  for (const ramp of ['10%', '1000']) t.match(await cli([...args, ramp]), { code: 0 }, ramp);
  t.match(control.asked, [
    { ramp: { kind: 'percent', buckets: 1_000 }, expectedEpoch: 4 },
    { ramp: { kind: 'count', count: 1_000 }, expectedEpoch: 4 },
  ]);
  const keys = control.log.map(({ idempotencyKey }) => idempotencyKey);
  t.ok(keys.every((key) => /^[0-9a-f-]{36}$/u.test(key ?? '')));
  t.not(keys[0], keys[1]);
});

void t.test('what cannot be meant is wrong usage', async (t) => {
  const { control, cli } = await open(t);
  for (const args of [
    ['stage', 'beta', 'Live', '--reason', 'r'],
    ['stage', 'beta', 'live'],
    [...LIVE, '--ramp', '10'.repeat(6)],
    [...LIVE, '--ramp', '10.123%'],
    [...LIVE, '--expected-epoch', 'x'],
    [...LIVE, '--wait', '-1'],
    ['changes', 'nonsense'],
    ['changes', randomUUID(), '--cohort', 'beta'],
    ['changes', '--limit', '0'],
    ['gateways', 'evict', 'g1'],
    ['gateways', 'nonsense'],
    ['cohort'],
  ]) {
    t.match(await cli(args), { code: 64, out: '' }, args.join(' '));
  }
  t.same(control.asked, []);
});

void t.test('an unknown cohort is said in one line', async (t) => {
  const { cli } = await open(t);
  const ran = await cli(['stage', 'nobody', 'live', '--reason', 'r', '--yes']);
  t.match(ran, {
    code: 1,
    out: '',
    err: /^http\S+ answered: No such cohort: There is no cohort nobody\.\n$/u,
  });
  t.match(await cli(['cohort', 'show', 'no/body']), { code: 1, err: /There is no cohort no\/body/u });
});

void t.test('whoever comes second ends with 2', async (t) => {
  const { control, cli } = await open(t);
  const epoch = await cli([...LIVE, '--yes', '--expected-epoch', '3']);
  t.match(epoch, { code: 2, out: '', err: /at epoch 4/u });
  control.next = { phase: 'holding' };
  t.match(await cli([...LIVE, '--yes', '--wait', '0']), { code: 3 });
  const conflict = await cli([...LIVE, '--yes']);
  t.match(conflict, { code: 2, out: '' });
  t.match(conflict.err, control.log[0]?.id, 'the other change is named');
});

void t.test('while it waits it says for whom, then what became of it', async (t) => {
  const { control, env } = await open(t);
  control.next = { phase: 'pending', note: 'waits for gateway g2' };
  control.gatewayViews = [
    gatewayView('g1', { applied: 5, drained: 5 }),
    gatewayView('g2', { applied: 4, drained: 4 }),
  ];
  /** Each line that the command prints moves the change on, as if it were seen. */
  const steps: [RegExp, () => void][] = [
    [
      /^pending: waits for gateway g2$/mu,
      () => control.moveOn({ phase: 'holding', holdEpoch: 5, note: undefined }),
    ],
    [
      /^holding: 1 of 2 gateways have drained$/mu,
      () => control.moveOn({ phase: 'switching', switchEpoch: 6 }),
    ],
    [
      /^switching: 0 of 2 gateways have applied it$/mu,
      () => control.moveOn({ phase: 'done', releaseEpoch: 7 }),
    ],
  ];
  const left = [...steps];
  const ended = await run([...LIVE, '--yes'], {
    env,
    onError: (written) => {
      const [next] = left;
      if (next?.[0].test(written) !== true) return;
      left.shift();
      next[1]();
    },
  });
  t.match(ended, { code: 0, out: /on every gateway, since epoch 7/u });
  t.same(left, []);
});

void t.test('a change that is undone ends with 1, at once or later, and says why', async (t) => {
  const { control, cli, env } = await open(t);
  control.next = { phase: 'undone', note: '2 writes on gateway g1\u001b[31m did not end' };
  const at = await cli([...LIVE, '--yes']);
  t.match(at, {
    code: 1,
    out: '',
    err: /was undone, and nobody moved: 2 writes on gateway g1 \[31m did not end\.\n$/u,
  });
  const json = await cli([...LIVE, '--yes', '--json']);
  t.match(JSON.parse(json.out), { phase: 'undone', cohort: 'beta' });
  t.match(json, { code: 1, err: '' });
  control.next = { phase: 'holding' };
  const later = await run([...LIVE, '--yes'], {
    env,
    onError: () => control.moveOn({ phase: 'undone', note: 'gateway g2 was lost' }),
  });
  t.match(later, { code: 1, err: /nobody moved: gateway g2 was lost\.\n$/u });
});

void t.test('a change that outlasts the wait goes on, and ends with 3', async (t) => {
  const { control, cli } = await open(t);
  control.next = { phase: 'pending', note: 'waits for gateway g2' };
  const ran = await cli([...LIVE, '--yes', '--wait', '0']);
  const id = control.log[0]?.id ?? '';
  t.match(ran, { code: 3, out: '' });
  t.ok(
    ran.err.endsWith(
      `is still pending: waits for gateway g2. It goes on; "turnout changes ${id}" shows how far it is.\n`,
    ),
    ran.err,
  );
});

void t.test('a call whose answer is lost is made again with the same key', async (t) => {
  const { control, port } = await open(t);
  let lost = 0;
  /** Passes everything on, and drops the first answer to a POST. */
  const relay = createServer((incoming, response) => {
    const { method, url: path, headers } = incoming;
    const onwards = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (answer) => {
        if (method === 'POST' && lost === 0) {
          lost += 1;
          incoming.socket.destroy();
          answer.resume();
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    incoming.pipe(onwards);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => {
    relay.closeAllConnections();
    relay.close();
  });
  const address = relay.address();
  const relayPort = typeof address === 'object' && address !== null ? address.port : 0;
  const ran = await run([...LIVE, '--yes'], { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${relayPort}` } });
  t.match(ran, { code: 0 });
  t.equal(lost, 1);
  t.equal(control.asked.length, 2);
  const [first, again] = control.asked.map((request) => Object(request).idempotencyKey);
  t.equal(first, again);
  t.equal(control.log.length, 1, 'it acted once');
});

void t.test('a role that may not is told so', async (t) => {
  const control = new FakeControl();
  const { port } = await openAdmin(t, { tokens: TOKENS, control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}`, TURNOUT_TOKEN: 'viewer-token' };
  t.match(await run([...LIVE, '--yes'], { env }), {
    code: 1,
    err: /needs the role operator; the-viewer is viewer/u,
  });
  t.match(await run([...LIVE, '--yes'], { env: { ...env, TURNOUT_TOKEN: 'operator-token' } }), { code: 0 });
});
