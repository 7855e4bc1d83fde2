import t from 'tap';
import type { GatewayDocument } from '../../../src/admin/control-documents.ts';
import type { CohortGuardDocument, JudgementDocument } from '../../../src/admin/guard-documents.ts';
import type { PlanDocument, RampRunDocument } from '../../../src/admin/ramp-documents.ts';
import {
  type Evidence,
  preconditions,
  THRESHOLDS,
  thresholdsOf,
} from '../../../src/console/cohort/preconditions.ts';
import { shareOf } from '../../../src/reports/statistics.ts';

const gateway = (id: string, more: Partial<GatewayDocument> = {}): GatewayDocument => ({
  id,
  where: `host ${id}`,
  state: 'live',
  silentMs: 0,
  applied: 7,
  drained: 7,
  digest: 'd',
  ...more,
});

function judgement(name: string, verdict: JudgementDocument['verdict']): JudgementDocument {
  return {
    condition: {
      name,
      metric: 'errorRate',
      over: 0.05,
      overLegacy: null,
      windowMs: 30_000,
      minRequests: 50,
      windows: { over: 1, of: 1 },
      confidence: 0.95,
      action: 'rollback',
      cohorts: null,
    },
    verdict,
    path: null,
    figures: {
      value: null,
      lower: null,
      upper: null,
      legacyValue: null,
      threshold: null,
      requests: 0,
      legacyRequests: 0,
      windowsOver: 0,
      evidence: 0,
      kinds: {},
      gateways: [],
      apart: null,
    },
  };
}

type Guard = Pick<CohortGuardDocument, 'phase' | 'judgements' | 'trip' | 'mirrorBacklog'>;
const HEALTHY: Guard = {
  phase: 'armed',
  judgements: [judgement('errors', 'healthy')],
  trip: null,
  mirrorBacklog: null,
};

const row = (route: string, compared: number) => ({
  route,
  cohort: 'beta',
  compared,
  matched: shareOf(compared, compared),
  confirmed: 0,
  transient: 0,
  flapping: 0,
  unconfirmed: 0,
  noiseReads: 0,
  ungrouped: 0,
  skipped: {},
});

function report(compared: number, confirmed: number, never: string[] = []) {
  return {
    compared,
    matched: shareOf(compared - confirmed, compared),
    confirmed: shareOf(confirmed, compared),
    coverage: { from: '', to: '', rows: [row('/api/*', compared)], never, notShadowed: [] },
  };
}

const GOOD: Evidence = {
  cohort: { change: null },
  report: report(10_000, 0),
  guard: HEALTHY,
  gateways: [gateway('a'), gateway('b')],
};

/** What is said of one of them. */
function saidOf(key: string, evidence: Partial<Evidence>, thresholds = THRESHOLDS) {
  const found = preconditions({ ...GOOD, ...evidence }, thresholds, true).find((one) => one.key === key);
  return { state: found?.state, says: found?.says ?? '' };
}

void t.test('with good evidence all of them are met', async (t) => {
  const all = preconditions(GOOD, THRESHOLDS, true);
  t.same(
    all.map(({ key, state }) => [key, state]),
    ['match', 'coverage', 'backlog', 'guard', 'gateways', 'turn'].map((key) => [key, 'met']),
  );
});

void t.test('going back needs no evidence, only gateways and its turn', async (t) => {
  const all = preconditions({ ...GOOD, report: undefined, guard: undefined }, THRESHOLDS, false);
  t.same(
    all.map(({ key, state }) => [key, state]),
    [
      ['gateways', 'met'],
      ['turn', 'met'],
    ],
  );
});

void t.test('the match share is met only when the interval lies below the threshold', async (t) => {
  t.equal(saidOf('match', { report: report(10_000, 10) }).state, 'met');
  t.match(saidOf('match', { report: report(10_000, 10) }).says, /^99.9 % of 10,000 compared reads matched/u);
  t.equal(saidOf('match', { report: report(10_000, 400) }).state, 'unmet', 'surely more');
  t.equal(saidOf('match', { report: report(2_000, 18) }).state, 'unknown', 'below, but perhaps above');
  t.equal(saidOf('match', { report: report(200, 0) }).state, 'unknown', 'too few reads');
  t.equal(saidOf('match', { report: report(200, 100) }).state, 'unmet', 'few reads, and surely more');
  t.equal(saidOf('match', { report: report(0, 0) }).state, 'unknown', 'no data is not good data');
  t.equal(saidOf('match', { report: undefined }).state, 'unknown');
});

void t.test('a route that was never compared is named', async (t) => {
  const said = saidOf('coverage', { report: report(10_000, 0, ['/a', '/b', '/c', '/d\u202e']) });
  t.same(said, { state: 'unmet', says: '4 routes never compared: /a, /b, /c and 1 more.' });
  t.equal(saidOf('coverage', { report: report(0, 0) }).state, 'unknown');
});

void t.test('writes that wait to be mirrored are counted against what may wait', async (t) => {
  const waiting = { ...HEALTHY, mirrorBacklog: 3 };
  t.same(saidOf('backlog', { guard: waiting }), {
    state: 'unmet',
    says: '3 writes wait to be mirrored, 0 may.',
  });
  t.equal(saidOf('backlog', { guard: waiting }, { ...THRESHOLDS, mirrorBacklogMax: 3 }).state, 'met');
  t.equal(saidOf('backlog', { guard: undefined }).state, 'unknown');
});

void t.test('the guard counts as met when it is healthy, or has nobody to judge', async (t) => {
  const of = (more: Partial<Guard>) => saidOf('guard', { guard: { ...HEALTHY, ...more } });
  t.equal(of({ phase: 'idle', judgements: [judgement('errors', 'no-data')] }).state, 'met');
  t.equal(of({ phase: 'tripped' }).state, 'unmet');
  t.equal(of({ judgements: [judgement('errors', 'tripped')] }).state, 'unmet');
  t.same(of({ judgements: [judgement('errors', 'uncertain'), judgement('slow', 'no-data')] }), {
    state: 'unknown',
    says: 'It cannot tell yet: errors; too few requests for slow.',
  });
  t.same(of({ judgements: [judgement('slow', 'no-data')] }), {
    state: 'unknown',
    says: 'Too few requests for slow.',
  });
  t.equal(of({ judgements: [] }).state, 'unknown');
});

void t.test('gateways that are away, or configured otherwise, are told', async (t) => {
  t.same(saidOf('gateways', { gateways: [gateway('a'), gateway('b', { state: 'fenced' })] }), {
    state: 'unmet',
    says: '1 of 2 gateways not live: host b (fenced).',
  });
  t.equal(saidOf('gateways', { gateways: [gateway('a'), gateway('b', { digest: 'e' })] }).state, 'unmet');
  t.equal(saidOf('gateways', { gateways: undefined }).state, 'unknown');
  t.equal(saidOf('turn', { cohort: { change: 'c1' } }).state, 'unmet');
});

const plan = (gates: Partial<PlanDocument['gates']>): PlanDocument => ({
  steps: [],
  gates: { guard: 'any', mismatchShareMax: null, comparedMin: null, mirrorBacklogMax: null, ...gates },
  automatic: false,
});

void t.test('thresholds are those of the plan under way, else the strictest configured ones', async (t) => {
  const plans = {
    slowly: plan({ mismatchShareMax: 0.001, comparedMin: 500 }),
    fast: plan({ mismatchShareMax: 0.02, comparedMin: 2_000, mirrorBacklogMax: 5 }),
  };
  t.same(thresholdsOf(plans, null), { mismatchShareMax: 0.001, comparedMin: 2_000, mirrorBacklogMax: 5 });
  t.same(thresholdsOf({}, undefined), THRESHOLDS);
  const run: RampRunDocument = {
    id: 'r',
    cohort: 'beta',
    plan: plan({ mismatchShareMax: 0.05 }),
    status: 'baking',
    step: 0,
    stepAt: null,
    note: null,
    approved: false,
    actor: 'ops',
    reason: 'why',
    startedAt: '',
    endedAt: null,
  };
  t.same(thresholdsOf(plans, run), { ...THRESHOLDS, mismatchShareMax: 0.05 });
  t.same(thresholdsOf(plans, { ...run, endedAt: 'then' }), thresholdsOf(plans, null));
});
