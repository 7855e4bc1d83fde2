import t, { type Test } from 'tap';
import { GuardRefusedError, GuardTrippedError } from '../../src/guard/guard-control.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { cohortNamed, FakeControl } from '../admin/fake-control.ts';
import { FakeGuard, GUARD_CONFIG, runOf, tripOf } from '../admin/fake-guard.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';

async function open(t: Test) {
  const [guard, control] = [new FakeGuard(), new FakeControl()];
  control.list[1] = cohortNamed('beta', 'live', { ramp: { kind: 'count', count: 0 } });
  const membership = { cohort: 'beta', ordinal: undefined, by: 'rule' } as const;
  for (const user of ['u1', 'u2', 'u3']) control.records.set(user, { ...ABSENT_RECORD, membership });
  const { port } = await openAdmin(t, { guard: () => guard, control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  return { guard, control, cli };
}

const WHY = ['--reason', 'no mismatch for a week'];
const START = ['ramp', 'beta', 'start', '--plan', 'slowly', ...WHY];

void t.test('a plan that moves users is confirmed in words, then begun', async (t) => {
  const { guard, cli } = await open(t);
  const no = await cli(START, { answer: 'n' });
  t.match(no, { code: 1, out: '' });
  t.ok(
    no.err.startsWith(
      '3 users of cohort beta: reads and writes move from legacy to new, in 3 steps: 100 users, 10 %, 100 %; 2 gateways must agree.\nGo on? [y/N] ',
    ),
    no.err,
  );
  t.match(await cli(START), { code: 64, err: /add --yes/u });
  t.same(guard.asked, []);
  const { code, out } = await cli(START, { answer: 'y' });
  t.equal(code, 0);
  t.equal(out, 'ramp of cohort beta: before its first step, stepping\n');
  t.match(guard.asked, [
    { start: 'beta', reason: 'no mismatch for a week', plan: GUARD_CONFIG.ramps['slowly'] },
  ]);
  const json = await cli([...START, '--yes', '--json']);
  t.match(JSON.parse(json.out), { cohort: 'beta', status: 'stepping' });
});

void t.test('a plan that moves nobody is not confirmed', async (t) => {
  const { guard, control, cli } = await open(t);
  control.list[1] = cohortNamed('beta', 'shadow');
  t.match(await cli(START), { code: 0, err: '' });
  t.equal(guard.asked.length, 1);
});

void t.test('a plan is written on the command line, with its gates', async (t) => {
  const { guard, cli } = await open(t);
  const steps = ['ramp', 'beta', 'start', '--steps', '100, 1000,10%,100%', ...WHY, '--yes'];
  t.match(await cli(steps), { code: 0 });
  const baked = (ramp: object, bakeMs = 600_000) => ({ ramp, bakeMs });
  t.match(Object(guard.asked.at(-1)).plan, {
    steps: [
      baked({ kind: 'count', count: 100 }),
      baked({ kind: 'count', count: 1_000 }),
      baked({ kind: 'percent', buckets: 1_000 }),
      baked({ kind: 'percent', buckets: 10_000 }),
    ],
    gates: { guard: 'healthy' },
    automatic: false,
  });
  const gates = ['guard=not-tripped', 'mismatchShareMax=0.1%', 'comparedMin=1000', 'mirrorBacklogMax=0'];
  const more = gates.flatMap((gate) => ['--gate', gate]);
  t.match(await cli([...steps, '--bake', '30s', '--automatic', ...more]), { code: 0 });
  t.match(Object(guard.asked.at(-1)).plan, {
    steps: [baked({ kind: 'count' }, 30_000), {}, {}, {}],
    gates: { guard: 'not-tripped', mismatchShareMax: 0.001, comparedMin: 1_000, mirrorBacklogMax: 0 },
    automatic: true,
  });
});

void t.test('what cannot be meant is wrong usage', async (t) => {
  const { guard, cli } = await open(t);
  for (const args of [
    ['ramp', 'beta'],
    ['ramp', 'beta', 'stop', ...WHY],
    ['ramp', 'beta', 'start', ...WHY],
    ['ramp', 'beta', 'start', '--plan', 'slowly'],
    ['ramp', 'beta', 'start', '--plan', 'slowly', '--automatic', ...WHY],
    ['ramp', 'beta', 'start', '--steps', '10%,,100%', ...WHY],
    ['ramp', 'beta', 'start', '--steps', 'ten', ...WHY],
    ['ramp', 'beta', 'start', '--steps', '10%', '--bake', '10', ...WHY],
    ['ramp', 'beta', 'start', '--steps', '10%', '--gate', 'guard=well', ...WHY],
    ['ramp', 'beta', 'start', '--steps', '10%', '--gate', 'mismatchShareMax=2', ...WHY],
    ['ramp', 'beta', 'start', '--steps', '10%', '--gate', 'comparedMin=', ...WHY],
    ['ramp', 'beta', 'pause'],
    ['ramp', 'beta', 'pause', '--plan', 'slowly', ...WHY],
  ]) {
    t.match(await cli(args), { code: 64, out: '' }, args.join(' '));
  }
  t.same(guard.asked, []);
});

void t.test('plans that are not there, or shrink, are refused with why', async (t) => {
  const { cli } = await open(t);
  t.match(await cli(['ramp', 'beta', 'start', '--plan', 'quick', ...WHY]), {
    code: 1,
    err: 'There is no plan quick under guard.ramps in the configuration: it has slowly.\n',
  });
  t.match(await cli(['ramp', 'beta', 'start', '--steps', '10%,5%', ...WHY, '--yes']), {
    code: 1,
    err: /Plan not valid: Step 2: each step is larger than the one before/u,
  });
});

void t.test('the next step is confirmed, and so are those that follow by themselves', async (t) => {
  const { guard, control, cli } = await open(t);
  control.list[1] = cohortNamed('beta', 'live', { ramp: { kind: 'percent', buckets: 1_000 } });
  guard.runs = [runOf('waiting', { step: 1 })];
  const approve = await cli(['ramp', 'beta', 'approve', ...WHY], { answer: 'n' });
  t.match(approve, { code: 1, err: /^90 % of the 3 users of cohort beta: .* to new; 2 gateways/u });
  const resume = await cli(['ramp', 'beta', 'resume', ...WHY], { answer: 'n' });
  t.match(resume, { code: 1, err: /^90 % of the 3 users/u });
  t.same(guard.asked, []);
  t.match(await cli(['ramp', 'beta', 'approve', ...WHY, '--yes']), { code: 0 });
  for (const action of ['pause', 'abort']) {
    t.match(await cli(['ramp', 'beta', action, ...WHY]), { code: 0 }, `${action} moves nobody`);
  }
  t.match(guard.asked, [{ approve: 'beta' }, { pause: 'beta' }, { abort: 'beta' }]);
});

void t.test('status says how far it is, what it waits for, and what ran before', async (t) => {
  const { guard, cli } = await open(t);
  t.match(await cli(['ramp', 'beta', 'status']), {
    code: 0,
    out: 'No plan was ever started for cohort beta.\n',
  });
  const ended = new Date('2026-11-20T00:00:00Z');
  guard.runs = [
    runOf('gated', { step: 1, note: 'errorRate is uncertain' }),
    runOf('aborted', { endedAt: ended, note: 'another day' }),
  ];
  const { out } = await cli(['ramp', 'beta', 'status']);
  t.match(
    out,
    /^ {2}step 2 of 3 \(10 %\) is in force; its time is over, and a gate is not met: errorRate is uncertain$/mu,
  );
  t.match(out, /^ {2}a person approves each step; gates: the guard says healthy$/mu);
  t.match(out, /^1 +100 users +0s +passed$/mu);
  t.match(out, /^2 +10 % +10m 0s +here$/mu);
  t.match(out, /^3 +100 % +10m 0s$/mu);
  t.match(out, /100 users, 10 %, 100 % +2026-11-20 00:00:00Z +aborted: another day$/mu);
  t.equal(JSON.parse((await cli(['ramp', 'beta', 'status', '--json'])).out).length, 2);
  guard.runs = [runOf('done', { step: 2, endedAt: ended })];
  t.match((await cli(['ramp', 'beta', 'status'])).out, /^3 +100 % +10m 0s +done$/mu);
  guard.runs = [runOf('baking', { stepAt: new Date(Date.now() - 1_000), step: 1 })];
  t.match((await cli(['ramp', 'beta', 'status'])).out, /^2 +10 % +10m 0s +here, 9m 5\ds left$/mu);
});

void t.test('what the guard refuses is said in one line', async (t) => {
  const { guard, cli } = await open(t);
  guard.startRamp = async () => {
    throw new GuardRefusedError('a plan is under way for cohort beta already');
  };
  t.match(await cli([...START, '--yes']), {
    code: 1,
    out: '',
    err: /A plan is under way for cohort beta already\.\n$/u,
  });
  guard.startRamp = async () => {
    throw new GuardTrippedError('beta', tripOf(2).id);
  };
  t.match(await cli([...START, '--yes']), { code: 1, err: /clear trip 0{8}-/u });
});
