import t, { type Test } from 'tap';
import { parseCondition } from '../../src/cli/condition-option.ts';
import { spanMs } from '../../src/cli/duration.ts';
import { GuardTrippedError } from '../../src/guard/guard-control.ts';
import { FakeControl } from '../admin/fake-control.ts';
import {
  cohortGuardOf,
  FakeGuard,
  FIGURES,
  GUARD_CONFIG,
  runOf,
  sideOf,
  tripOf,
} from '../admin/fake-guard.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { type RunOptions, run } from './run-in-process.ts';

async function open(t: Test) {
  const [guard, control] = [new FakeGuard(), new FakeControl()];
  const { port } = await openAdmin(t, { guard: () => guard, control: () => control });
  const env = { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` };
  const cli = (args: readonly string[], options: RunOptions = {}) => run(args, { env, ...options });
  return { guard, control, cli };
}

const [ERRORS] = GUARD_CONFIG.conditions;
if (ERRORS === undefined) throw new Error('no condition');

void t.test('status says what it sees of each cohort, what it judges, and what to do', async (t) => {
  const { guard, cli } = await open(t);
  const nothing = { ...FIGURES, value: undefined, lower: undefined, upper: undefined, threshold: undefined };
  guard.list = [
    cohortGuardOf('staff', {
      phase: 'tripped',
      judgements: [{ condition: ERRORS, verdict: 'tripped', path: 'overwhelming', figures: FIGURES }],
      trip: tripOf(3),
      legacy: sideOf([900]),
      new: sideOf([70, 50], 51),
    }),
    cohortGuardOf('beta', {
      stage: 'shadow',
      phase: 'idle',
      judgements: [
        {
          condition: { ...ERRORS, over: 0.02 },
          verdict: 'no-data',
          path: undefined,
          figures: { ...nothing, legacyValue: undefined, requests: 0 },
        },
      ],
      ramp: runOf('waiting'),
    }),
  ];
  const { code, out } = await cli(['guard', 'status']);
  t.equal(code, 0);
  t.match(out, /^In the last 30 s:\n/u);
  t.match(out, /^staff +live +tripped +120 +42\.5 % +900 +0 %$/mu);
  t.match(out, /^beta +shadow +idle +0 +- +0 +-$/mu);
  t.match(out, /^staff +errorRate +tripped +42 % +31 % to 54 % +5 % +0\.1 % +120 +rollback$/mu);
  t.match(out, /^beta +errorRate +no data +- +2 % +- +0 +rollback$/mu);
  t.match(out, /^staff: errorRate tripped at 2026-11-21 03:00:00Z; "turnout guard show 0+-.*clear staff/mu);
  t.match(
    out,
    /^beta: ramp step 1 of 3 \(100 users\) is in force; a person has to approve the next one\.$/mu,
  );
  t.equal((await cli(['guard'])).out, out, 'it is what the guard says without a word');
  const one = await cli(['guard', 'status', 'beta', '--json']);
  t.match(JSON.parse(one.out), { windowMs: 30_000, cohorts: { length: 1 } });
  t.match(await cli(['guard', 'status', 'nobody']), { code: 1, err: 'There is no cohort nobody.\n' });
});

void t.test('trips are listed, the newest first; none is said in words', async (t) => {
  const { guard, cli } = await open(t);
  const { out } = await cli(['guard', 'trips']);
  t.match(
    out,
    /^0{8}-\S+3 {2}2026-11-21 03:00:00Z {2}staff {3}errorRate {2}42 % {2}rollback {2}0\.4 s +went back, not cleared$/mu,
  );
  t.equal(JSON.parse((await cli(['guard', 'trips', '--cohort', 'beta', '--json'])).out).length, 1);
  t.equal(JSON.parse((await cli(['guard', 'trips', '--limit', '2', '--json'])).out).length, 2);
  guard.tripList = [];
  t.match(await cli(['guard', 'trips']), { code: 0, out: 'Nothing has tripped.\n' });
  t.match(await cli(['guard', 'show']), { code: 1, err: 'Nothing has tripped.\n' });
});

void t.test('a trip is told in sentences; without an id it is the latest one', async (t) => {
  const { guard, cli } = await open(t);
  const { out } = await cli(['guard', 'show']);
  t.match(out, `trip ${tripOf(3).id}\n  At 2026-11-21T03:00:00.000Z the condition errorRate`);
  t.match(out, /^ {2}What failed: 49 × refused or no connection, 2 × answered 5xx\.$/mu);
  t.match(out, /^ {2}staff was back on legacy everywhere 0\.4 s after the trip/mu);
  t.match(
    out,
    /^"turnout changes 1{8}-.* shows the rollback\. When new is well again:\n {2}\$ turnout guard clear staff/mu,
  );
  t.match((await cli(['guard', 'show', tripOf(1).id])).out, `trip ${tripOf(1).id}\n`);
  t.match(JSON.parse((await cli(['guard', 'show', '--json'])).out), {
    id: tripOf(3).id,
    untilInForceMs: 400,
  });
  t.match(await cli(['guard', 'show', tripOf(9).id]), { code: 1, err: /There is no trip/u });
  guard.tripList = [tripOf(4, { note: 'a\u001b[31mb', cohort: 'x\u001b[2Jy' })];
  t.notMatch((await cli(['guard', 'show'])).out, '\u001b', 'nothing that a terminal would obey');
});

void t.test('clear lets a cohort go live again, once, with a reason', async (t) => {
  const { guard, cli } = await open(t);
  t.match(await cli(['guard', 'clear', 'staff']), { code: 64, out: '' });
  const { code, out } = await cli(['guard', 'clear', 'staff', '--reason', 'fixed']);
  t.equal(code, 0);
  t.match(out, /^trip 0{8}-\S+3 is cleared: cohort staff may go live again\. Nobody was moved\.$/mu);
  t.match(guard.asked, [{ clear: 'staff', actor: 'local', reason: 'fixed' }]);
  guard.tripList = [];
  t.match(await cli(['guard', 'clear', 'staff', '--reason', 'r']), {
    code: 1,
    out: '',
    err: /Nothing of cohort staff is tripped\.\n$/u,
  });
});

void t.test('a cohort that tripped is not moved, and the trip is named', async (t) => {
  const { control, cli } = await open(t);
  control.changeStage = async () => {
    throw new GuardTrippedError('beta', tripOf(2).id);
  };
  const ran = await cli(['stage', 'beta', 'live', '--reason', 'r', '--yes']);
  t.match(ran, { code: 1, out: '' });
  t.match(ran.err, `clear trip ${tripOf(2).id} before it goes live again`);
});

void t.test('a dry run says when it would have tripped', async (t) => {
  const { guard, cli } = await open(t);
  const at = (hour: string) => new Date(`2026-11-20T${hour}:00:00Z`);
  guard.dryRunAnswer = {
    slots: 7_200,
    from: at('00'),
    to: at('06'),
    trips: [
      { at: at('03'), condition: 'errorRate', path: 'windows', figures: FIGURES },
      {
        at: at('04'),
        condition: 'errorRate',
        path: 'overwhelming',
        figures: { ...FIGURES, legacyValue: undefined },
      },
    ],
  };
  const period = ['--from', '2026-11-20T00:00:00Z', '--to', '2026-11-21T00:00:00Z'];
  const { code, out } = await cli(['guard', 'dry-run', 'staff', ...period]);
  t.equal(code, 0);
  t.match(
    out,
    /^2h 0m were recorded of cohort staff between 2026-11-20 00:00:00Z and 2026-11-20 06:00:00Z\.\nJudged by/u,
  );
  t.match(out, /^It would have tripped 2 times:$/mu);
  t.match(out, /^2026-11-20 03:00:00Z {2}errorRate +42 % +5 % +0\.1 % +120 +whole windows$/mu);
  t.match(out, /^2026-11-20 04:00:00Z {2}errorRate +42 % +5 % +- +120 +overwhelming evidence$/mu);
  t.match(guard.asked, [{ from: at('00'), to: new Date('2026-11-21T00:00:00Z'), conditions: undefined }]);
  guard.dryRunAnswer = { slots: 60, from: at('00'), to: at('01') };
  t.match((await cli(['guard', 'dry-run', 'staff', ...period])).out, /It would not have tripped\.\n$/u);
  guard.dryRunAnswer = {};
  t.match(
    (await cli(['guard', 'dry-run', 'staff', '--from', '7d'])).out,
    'Nothing was recorded of cohort staff',
  );
  const { from, to } = Object(guard.asked.at(-1));
  t.equal(to - from, 7 * 86_400_000);
  t.match(JSON.parse((await cli(['guard', 'dry-run', 'staff', '--from', '1h', '--json'])).out), { slots: 0 });
});

void t.test('conditions of a dry run are typed in short', async (t) => {
  const { guard, cli } = await open(t);
  const args = ['guard', 'dry-run', 'staff', '--from', '1h', '--condition', 'errorRate:2%', '--condition'];
  t.match(
    await cli([...args, 'p99LatencyMs:800,x1.5,window=60s,min=20,windows=2/3,confidence=0.95,name=slow']),
    {
      code: 0,
    },
  );
  t.match(Object(guard.asked.at(-1)).conditions, [
    { name: 'errorRate', over: 0.02, overLegacy: undefined },
    {
      name: 'slow',
      metric: 'p99LatencyMs',
      over: 800,
      overLegacy: 1.5,
      windowMs: 60_000,
      minRequests: 20,
      windows: { over: 2, of: 3 },
      confidence: 0.95,
    },
  ]);
  t.same(parseCondition('meanLatencyMs:x2'), { metric: 'meanLatencyMs', overLegacy: 2 });
  for (const [text, why] of [
    ['errors:5%', /There is no metric errors: it is one of errorRate, .*mirrorBacklog\./u],
    ['errorRate', /errorRate over what\?/u],
    ['errorRate:', /A threshold is a number/u],
    ['errorRate:2%,every=5', /There is no every of a condition/u],
    ['errorRate:2%,window=5', /number with ms, s, m, h or d/u],
    ['errorRate:2%,windows=3', /windows is a number/u],
  ] as const) {
    t.match(await cli([...args, text]), { code: 64, out: '', err: why }, text);
  }
  t.match(await cli([...args, 'errorRate:5']), { code: 1, err: /expected a number from 0 to 1/u });
  t.match(await cli(['guard', 'dry-run', 'staff', '--from', 'yesterday']), { code: 64 });
  t.match(await cli(['guard', 'dry-run', 'staff']), { code: 64 });
});

void t.test('spans are numbers with a unit', async (t) => {
  t.same(
    ['0', '500ms', '30s', '10m', '2h', '3d'].map(spanMs),
    [0, 500, 30_000, 600_000, 7_200_000, 259_200_000],
  );
  for (const text of ['', '5', '5 m', '-1s', '1w', '1.5h']) t.throws(() => spanMs(text), text);
});
