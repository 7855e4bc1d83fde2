import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/errors.ts';
import type { GuardFigures } from '../../src/guard/guard-figures.ts';
import type { Cohort, Snapshot } from '../../src/model.ts';
import { createTelemetry, type TelemetryOptions } from '../../src/telemetry/create-telemetry.ts';
import { renderFamilies } from '../../src/telemetry/exposition.ts';
import { VERSION } from '../../src/telemetry/version.ts';
import { workersFamily } from '../../src/telemetry/worker-metrics.ts';
import { CONDITION, FIGURES, newRamp } from '../storage/guard-contract.ts';

function open(t: Test, options: Partial<TelemetryOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const telemetry = createTelemetry({ level: 'info', accessSample: 0, destination, ...options });
  t.teardown(() => telemetry.close());
  const entries = () => lines.map((line): Record<string, unknown> => JSON.parse(line));
  return { telemetry, entries };
}

/** The value of one line of the text form. */
function valueOf(text: string, series: string): number | undefined {
  const found = text.split('\n').find((line) => line.startsWith(`${series} `));
  return found === undefined ? undefined : Number(found.slice(series.length + 1));
}

function stateWith(cohorts: Pick<Cohort, 'name' | 'stage'>[]) {
  const full = cohorts.map(
    (cohort): Cohort => ({
      ramp: { kind: 'percent', buckets: 10_000 },
      salt: 's',
      rule: undefined,
      isDefault: false,
      migration: 'cohort',
      mirror: false,
      ...cohort,
    }),
  );
  const snapshot: Snapshot = {
    mapId: 'map',
    epoch: 7,
    cohorts: full,
    cohortByName: new Map(full.map((cohort) => [cohort.name, cohort])),
    defaultCohort: undefined,
    cohortHolds: new Map(),
    userHolds: new Map(),
  };
  const status = () => ({
    kind: 'embedded' as const,
    attachment: 'detached' as const,
    detachedMs: 5,
    mapId: 'map',
    epoch: 7,
    cachedUsers: 3,
    cacheHits: 11,
    cacheMisses: 4,
    marks: { inMap: 5, inRecord: 2, failed: 1, waiting: 3, remembered: 6 },
    problem: undefined,
  });
  return { snapshot, status };
}

void t.test('a request is counted by its labels, its duration and its overhead', async (t) => {
  const { telemetry } = open(t);
  telemetry.cell('api', 'staff', 'new', 'read').record('2xx', 3, 0.03);
  telemetry.cell('api', 'staff', 'new', 'read').record('2xx', 700, 0.2);
  telemetry.cell('api', undefined, undefined, 'write').record('state_unknown', 1, 1);
  const text = await telemetry.metrics();
  const labels = 'route="api",cohort="staff",backend="new",class="read"';
  t.equal(valueOf(text, `turnout_requests_total{${labels},outcome="2xx"}`), 2);
  t.equal(valueOf(text, `turnout_request_duration_seconds_bucket{${labels},le="0.0025"}`), 0);
  t.equal(valueOf(text, `turnout_request_duration_seconds_bucket{${labels},le="0.005"}`), 1);
  t.equal(valueOf(text, `turnout_request_duration_seconds_bucket{${labels},le="1"}`), 2);
  t.equal(valueOf(text, `turnout_request_duration_seconds_bucket{${labels},le="+Inf"}`), 2);
  t.equal(valueOf(text, `turnout_request_duration_seconds_count{${labels}}`), 2);
  t.equal(valueOf(text, `turnout_request_duration_seconds_sum{${labels}}`), 0.703);
  t.equal(valueOf(text, 'turnout_overhead_seconds_count'), 3);
  t.equal(valueOf(text, 'turnout_overhead_seconds_bucket{le="0.00005"}'), 1);
  const none = 'route="api",cohort="none",backend="none",class="write",outcome="state_unknown"';
  t.equal(valueOf(text, `turnout_requests_total{${none}}`), 1);
});

void t.test('one combination of labels has one cell', async (t) => {
  const { telemetry } = open(t);
  t.equal(telemetry.cell('a', 'c', 'new', 'read'), telemetry.cell('a', 'c', 'new', 'read'));
  const cells = [
    telemetry.cell('a', 'c', 'new', 'read'),
    telemetry.cell('a', 'c', 'new', 'write'),
    telemetry.cell('a', 'c', 'legacy', 'read'),
    telemetry.cell('a', 'c', undefined, 'read'),
    telemetry.cell('a', undefined, 'new', 'read'),
    telemetry.cell('b', 'c', 'new', 'read'),
  ];
  t.equal(new Set(cells).size, cells.length);
});

void t.test('each failure of the table is counted by code, stage and side', async (t) => {
  const { telemetry } = open(t);
  telemetry.cell('api', 'staff', 'new', 'read').record('backend_body_closed', 1, 1);
  telemetry.cell('api', 'other', 'new', 'read').record('backend_body_closed', 1, 1);
  const text = await telemetry.metrics();
  for (const [code, { stage: place }] of Object.entries(ERRORS)) {
    const [stage, side] = place.split(', ');
    const expected = code === 'backend_body_closed' ? 2 : 0;
    const series = `turnout_errors_total{code="${code}",stage="${stage}",side="${side}"}`;
    t.equal(valueOf(text, series), expected, series);
  }
});

void t.test('beyond the bound on label combinations requests are counted as other', async (t) => {
  const { telemetry } = open(t, { cellsMax: 10 });
  for (let index = 0; index < 1_000; index += 1) {
    telemetry.cell(`r${index}`, 'c', 'legacy', 'read').record('2xx', 1, 1);
  }
  telemetry.cell('r3', 'c', 'legacy', 'read').record('2xx', 1, 1);
  const text = await telemetry.metrics();
  const lines = text.split('\n').filter((line) => line.startsWith('turnout_requests_total{'));
  t.equal(lines.length, 11);
  const rest = 'class="read",outcome="2xx"';
  const other = `turnout_requests_total{route="other",cohort="other",backend="legacy",${rest}}`;
  t.equal(valueOf(text, other), 990);
  t.equal(valueOf(text, `turnout_requests_total{route="r3",cohort="c",backend="legacy",${rest}}`), 2);
});

void t.test('a label value with quotes, backslashes and newlines is escaped', async (t) => {
  const text = await renderFamilies([
    {
      kind: 'plain',
      name: 'm',
      help: 'one\ntwo',
      type: 'gauge',
      merge: 'sum',
      samples: [{ labels: { l: 'a"b\\c\nd' }, value: Number.POSITIVE_INFINITY }],
    },
  ]);
  t.equal(text, '# HELP m one\\ntwo\n# TYPE m gauge\nm{l="a\\"b\\\\c\\nd"} +Inf\n');
});

void t.test('epoch, attachment, stages and cache figures are read from the state map', async (t) => {
  const { telemetry } = open(t);
  const before = await telemetry.metrics();
  t.equal(valueOf(before, 'turnout_epoch'), undefined, 'no figure before there is a map');
  telemetry.watchState(stateWith([{ name: 'staff', stage: 'live' }]));
  const text = await telemetry.metrics();
  t.equal(valueOf(text, 'turnout_epoch'), 7);
  t.equal(valueOf(text, 'turnout_detached'), 1);
  t.equal(valueOf(text, 'turnout_cohort_stage{cohort="staff",stage="live"}'), 1);
  t.equal(valueOf(text, 'turnout_cohort_stage{cohort="staff",stage="off"}'), 0);
  t.equal(valueOf(text, 'turnout_user_cache_hits_total'), 11);
  t.equal(valueOf(text, 'turnout_user_cache_misses_total'), 4);
  t.equal(valueOf(text, 'turnout_write_marks_total{store="map"}'), 5);
  t.equal(valueOf(text, 'turnout_write_marks_total{store="record"}'), 2);
  t.equal(valueOf(text, 'turnout_write_marks_failed_total'), 1);
  t.equal(valueOf(text, 'turnout_write_marks_waiting'), 3);
  t.equal(valueOf(text, 'turnout_write_marks_remembered'), 6);
});

void t.test('identity, retries and holds are counted, reasons within a bound', async (t) => {
  const { telemetry } = open(t);
  telemetry.identityConflict();
  for (let index = 0; index < 100; index += 1) telemetry.identityRejected(`reason-${index}`);
  telemetry.retried('new');
  telemetry.heldWrites(1);
  telemetry.heldWrites(1);
  telemetry.heldWrites(-1);
  telemetry.held(30);
  const text = await telemetry.metrics();
  t.equal(valueOf(text, 'turnout_identity_conflicts_total'), 1);
  t.equal(valueOf(text, 'turnout_identity_rejected_total{reason="reason-0"}'), 1);
  t.equal(valueOf(text, 'turnout_identity_rejected_total{reason="other"}'), 68);
  t.equal(valueOf(text, 'turnout_retries_total{backend="new"}'), 1);
  t.equal(valueOf(text, 'turnout_retries_total{backend="legacy"}'), 0);
  t.equal(valueOf(text, 'turnout_held_writes'), 1);
  t.equal(valueOf(text, 'turnout_hold_seconds_bucket{le="0.05"}'), 1);
});

const COUNTED = {
  cohort: 'staff',
  backend: 'new',
  requests: 7,
  failed: 2,
  stalled: 1,
  kinds: { connect: 2, timeout: 0, reset: 0, status: 3, overload: 0 },
} as const;

void t.test('what is counted for the guard is listed by cohort, backend and kind', async (t) => {
  const { telemetry } = open(t);
  telemetry.watchCounts({ totals: () => [COUNTED], published: 5, dropped: 4 });
  const text = await telemetry.metrics();
  t.equal(valueOf(text, 'turnout_guard_attempts_total{cohort="staff",backend="new"}'), 7);
  t.equal(valueOf(text, 'turnout_guard_failures_total{cohort="staff",backend="new",kind="status"}'), 3);
  t.equal(valueOf(text, 'turnout_guard_failures_total{cohort="staff",backend="new",kind="reset"}'), 0);
  t.equal(valueOf(text, 'turnout_guard_stalled_total{cohort="staff",backend="new"}'), 1);
  t.equal(valueOf(text, 'turnout_guard_reports_total{outcome="published"}'), 5);
  t.equal(valueOf(text, 'turnout_guard_reports_total{outcome="dropped"}'), 4);
});

const GUARD_FIGURES: GuardFigures = {
  trips: [{ cohort: 'staff', condition: 'errorRate', action: 'rollback', count: 2 }],
  judged: new Map([
    ['staff', [{ condition: CONDITION, verdict: 'tripped', path: 'overwhelming', figures: FIGURES }]],
  ]),
  held: ['staff'],
  ramps: [
    {
      ...newRamp('staff', { step: 1 }),
      status: 'baking',
      stepAt: undefined,
      note: undefined,
      approved: false,
      actor: 'a',
      reason: 'r',
      startedAt: new Date(0),
      endedAt: undefined,
      version: 1,
      bakedMs: 0,
      compared: 0,
      mismatched: 0,
      countedTo: undefined,
      attempt: 0,
      goesSince: new Date(0),
    },
  ],
  notices: { told: 3, failed: 1, gaveUp: 0 },
  blindTicks: 7,
};

void t.test('what the guard judged and did is counted by cohort and condition', async (t) => {
  const { telemetry } = open(t);
  telemetry.watchGuard({ figures: () => GUARD_FIGURES });
  const text = await telemetry.metrics();
  const of = (labels: string): string => `{cohort="staff",${labels}}`;
  t.equal(valueOf(text, `turnout_rollbacks_total${of('condition="errorRate"')}`), 2);
  t.equal(valueOf(text, `turnout_guard_verdict${of('condition="errorRate",verdict="tripped"')}`), 1);
  t.equal(valueOf(text, `turnout_guard_verdict${of('condition="errorRate",verdict="healthy"')}`), 0);
  t.equal(valueOf(text, 'turnout_guard_held{cohort="staff"}'), 1);
  t.equal(valueOf(text, 'turnout_ramp_step{cohort="staff"}'), 2);
  t.equal(valueOf(text, 'turnout_guard_hooks_total{outcome="told"}'), 3);
  t.equal(valueOf(text, 'turnout_guard_blind_ticks_total'), 7);
});

void t.test('the documentation lists exactly the metrics that exist, with their labels', async (t) => {
  const { telemetry } = open(t);
  telemetry.watchState(stateWith([{ name: 'staff', stage: 'live' }]));
  telemetry.identityRejected('expired');
  telemetry.shadowRead('api', 'staff', 'matched');
  telemetry.shadowSkipped('queue_full');
  telemetry.fallbackRead('staff', 'served');
  telemetry.watchReports({ groups: new Map([['open', 3]]) });
  telemetry.watchCounts({ totals: () => [COUNTED], published: 5, dropped: 4 });
  telemetry.watchGuard({ figures: () => GUARD_FIGURES });
  telemetry.cell('api', 'staff', 'new', 'read').record('2xx', 1, 1);
  const families = [...(await telemetry.families()), workersFamily(['ready'])];
  const exported = families
    .filter(({ name }) => name.startsWith('turnout_'))
    .map((family) => {
      const first = family.kind === 'plain' ? family.samples[0] : family.series[0];
      return `${family.name}{${Object.keys(first?.labels ?? {}).join(', ')}}`;
    });
  const documented = (await readFile('docs/metrics.md', 'utf8'))
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, name]) => name?.startsWith('turnout_'))
    .map(([, name, labels]) => `${name}{${labels}}`);
  t.same(documented.toSorted(), exported.toSorted());
});

void t.test('shadow reads are counted by verdict, beyond the bound under other', async (t) => {
  const { telemetry } = open(t);
  for (let index = 0; index < 1_002; index += 1) telemetry.shadowRead(`r${index}`, undefined, 'matched');
  telemetry.shadowRead('r0', undefined, 'noise');
  const text = await telemetry.metrics();
  t.equal(valueOf(text, 'turnout_shadow_reads_total{route="r999",cohort="none",verdict="matched"}'), 1);
  t.equal(valueOf(text, 'turnout_shadow_reads_total{route="r0",cohort="none",verdict="noise"}'), 1);
  t.equal(valueOf(text, 'turnout_shadow_reads_total{route="other",cohort="other",verdict="matched"}'), 2);
});

void t.test('process metrics carry the worker they belong to, and no label without a bound', async (t) => {
  const { telemetry } = open(t, { worker: '3' });
  const text = await telemetry.metrics();
  t.ok(valueOf(text, 'process_resident_memory_bytes{worker="3"}'));
  t.match(text, /# TYPE nodejs_gc_duration_seconds histogram/u);
  t.notMatch(text, /nodejs_active_handles\{/u);
  t.match(text, `turnout_build_info{version="${VERSION}"`);
});

void t.test('the version in the metrics is the version of the package', async (t) => {
  const { version }: { version: string } = JSON.parse(await readFile('package.json', 'utf8'));
  t.equal(VERSION, version);
});

void t.test('the access log has the configured share of requests', async (t) => {
  const draws = [0.1, 0.5, 0.24, 0.25];
  const { telemetry } = open(t, { accessSample: 0.25, random: () => draws.shift() ?? 1 });
  t.same(
    [telemetry.sampled(), telemetry.sampled(), telemetry.sampled(), telemetry.sampled()],
    [true, false, true, false],
  );
  telemetry.configure({ level: 'info', accessSample: 0 });
  t.equal(telemetry.sampled(), false, 'off costs no random number');
});

void t.test('an access line says what happened and nothing personal', async (t) => {
  const { telemetry, entries } = open(t, { worker: '2' });
  telemetry.access({
    requestId: 'r-1',
    method: 'GET',
    path: '/api/orders',
    status: 200,
    outcome: '2xx',
    route: 'api',
    cohort: 'staff',
    backend: 'new',
    class: 'read',
    durationMs: 12.5,
    overheadMs: 0.1,
  });
  const [entry] = entries();
  t.match(entry, {
    event: 'request',
    level: 'info',
    worker: '2',
    requestId: 'r-1',
    status: 200,
    backend: 'new',
  });
  t.type(entry?.['time'], 'string');
});

void t.test('credentials never reach the log, at the top and two objects deep', async (t) => {
  const { telemetry, entries } = open(t);
  const secrets = { authorization: 'Bearer s3cret', cookie: 'sid=s3cret', 'set-cookie': ['a=s3cret'] };
  telemetry.log.info({ event: 'defect', ...secrets }, 'top');
  telemetry.log.info({ event: 'defect', headers: secrets }, 'one deep');
  telemetry.log.info({ event: 'defect', request: { headers: secrets, id: 'kept' } }, 'two deep');
  t.equal(entries().length, 3);
  t.notMatch(JSON.stringify(entries()), /s3cret/u);
  t.match(entries()[2], { request: { id: 'kept', headers: { cookie: '[redacted]' } } });
});

void t.test('the level of the log can change while it runs', async (t) => {
  const { telemetry, entries } = open(t, { level: 'warn' });
  telemetry.log.info({ event: 'stopping' }, 'not written');
  telemetry.configure({ level: 'info', accessSample: 0 });
  telemetry.log.info({ event: 'stopping' }, 'written');
  t.same(
    entries().map(({ message }) => message),
    ['written'],
  );
});
