/** A gateway that is stopped while a truth moves, and continues afterwards with what it knew before. */
import { connect } from 'node:net';
import t from 'tap';
import { type Change, isOver } from '../../src/cutover/change.ts';
import type { Control } from '../../src/cutover/control.ts';
import { within } from '../harness/within.ts';
import { FlipLoad, RecordingBackends } from './flip-load.ts';
import { gatewaysWorld, untilLive } from './gateways.ts';

const SHORT = {
  // The last write of a stopped gateway has passed its deadline soon, and the change need not wait for long.
  backends: { legacy: { headersMs: 1_000 }, new: { headersMs: 1_000 } },
  cutover: { selfFenceAfterMs: 1_000, holdMaxMs: 2_000, drainMaxMs: 1_000 },
  cohorts: [{ name: 'movers', default: true, stage: 'shadow' }],
};

const WISH = {
  cohort: 'movers',
  ramp: undefined,
  dirtyUsers: 'force',
  actor: 'test',
  reason: 'test',
  expectedEpoch: undefined,
  idempotencyKey: undefined,
} as const;

/** Sends a write and resolves with the status line of the answer. */
function rawWrite(port: number): { readonly sent: Promise<void>; readonly status: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  const sent = Promise.withResolvers<void>();
  const status = Promise.withResolvers<string>();
  socket.on('error', status.reject).once('data', (chunk) => {
    status.resolve(chunk.toString('latin1').split('\r\n')[0] ?? '');
    socket.destroy();
  });
  socket.write('POST /late HTTP/1.1\r\nHost: a\r\nX-User: late\r\nContent-Length: 4\r\n\r\nbody', () =>
    sent.resolve(),
  );
  return { sent: sent.promise, status: status.promise };
}

/** The change when it is over. */
async function ended(control: Control, begun: Change): Promise<Change> {
  const over = async (): Promise<Change> => {
    for (;;) {
      const change = await control.change(begun.id);
      if (change !== undefined && isOver(change.phase)) return change;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return within(over(), 'the end of the change', 20_000);
}

void t.test('a stopped gateway sends nothing to the old owner when it continues', async (t) => {
  const backends = await RecordingBackends.start(t);
  const { control, start } = await gatewaysWorld(t, backends, SHORT);
  const [one, two] = [await start('one'), await start('two')];
  await untilLive(control, 2);
  const load = new FlipLoad([one.port]);
  load.target = 'legacy';
  load.run(['nina', 'leo']);

  two.process.kill('SIGSTOP');
  // It lies in the socket of the stopped process, which reads it first of all when it continues.
  const late = rawWrite(two.port);
  await within(late.sent, 'a write on its way');
  await untilLive(control, 1);
  load.target = 'new';
  load.flip += 1;
  const change = await control.changeStage({ ...WISH, stage: 'live' });
  t.match(change, { phase: 'pending', note: /worker two/u }, 'nobody is held while it may still be serving');
  t.match(await ended(control, change), { phase: 'done' });
  const settledAt = backends.applied.length;

  two.process.kill('SIGCONT');
  t.match(await within(late.status, 'an answer to the late write'), /^HTTP\/1\.1 (503|200)/u);
  await untilLive(control, 2);
  await load.stop();
  t.same(load.failures, []);
  t.same(load.stale, []);
  t.same(
    backends.applied.slice(settledAt).filter(({ owner }) => owner === 'legacy'),
    [],
    'no write reached the old owner after the flip',
  );
});

void t.test(
  'a gateway that is killed keeps a cohort at complete, not between stages under way',
  async (t) => {
    const backends = await RecordingBackends.start(t);
    const { control, start } = await gatewaysWorld(t, backends, SHORT);
    const [, two] = [await start('one'), await start('two')];
    await untilLive(control, 2);
    two.process.kill('SIGKILL');
    await untilLive(control, 1);
    t.match(await ended(control, await control.changeStage({ ...WISH, stage: 'live' })), { phase: 'done' });
    t.match(await ended(control, await control.changeStage({ ...WISH, stage: 'complete' })), {
      phase: 'done',
    });

    const back = await control.changeStage({ ...WISH, stage: 'live' });
    t.match(back, { phase: 'pending', note: /worker two \(two\), fenced .* has to agree/u });
    t.equal(await control.evictGateway('two'), true);
    t.match(await ended(control, back), { phase: 'done' });
  },
);

void t.test(
  'a gateway that is lost while a rule leads to a cohort in off keeps the others from live',
  async (t) => {
    const backends = await RecordingBackends.start(t);
    const pro = { name: 'pro', rule: { attribute: 'header.x-plan', in: ['pro'] }, stage: 'off' };
    const { control, start } = await gatewaysWorld(t, backends, {
      ...SHORT,
      cohorts: [pro, ...SHORT.cohorts],
    });
    const [, two] = [await start('one'), await start('two')];
    await untilLive(control, 2);
    two.process.kill('SIGKILL');
    await untilLive(control, 1);
    t.match(await ended(control, await control.changeStage({ ...WISH, stage: 'dualwrite' })), {
      phase: 'done',
    });
    // It would go on sending to legacy, as one of `pro`, whom others place in `movers` by another plan.
    const change = await control.changeStage({ ...WISH, stage: 'live' });
    t.match(change, { phase: 'pending', note: /worker two \(two\), fenced .* has to agree/u });
    t.equal(await control.evictGateway('two'), true);
    t.match(await ended(control, change), { phase: 'done' });
  },
);
