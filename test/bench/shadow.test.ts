import t from 'tap';
import { shadow } from '../../bench/shadow/run-shadow.ts';
import {
  type Measured,
  type ShadowSample,
  shadowMarkdown,
  shadowRows,
} from '../../bench/shadow/shadow-report.ts';

t.setTimeout(240_000);

void t.test('every kind of secondary is measured, and fails no user', async (t) => {
  const run = await shadow({ rounds: 1, seconds: 1, rate: 30, results: undefined }, () => undefined);
  const rows = shadowRows(run);
  t.same(
    rows.map((row) => [row.case, row.errors]),
    [
      ['off', 0],
      ['healthy', 0],
      ['slow', 0],
      ['dead', 0],
      ['large', 0],
    ],
  );
  t.same(run.counts.off, {});
  t.ok((run.counts.healthy?.['matched'] ?? 0) > 0);
  t.ok((run.counts.large?.['skipped: body_too_large'] ?? 0) > 0);
  t.ok((run.counts.dead?.['skipped: breaker_open'] ?? 0) > 0);
  t.match(shadowMarkdown(run), /^\| refuses connections \|/m);
});

void t.test('what must not happen is named in the report', async (t) => {
  const measured = (p99Ms: number, errors: number): Measured => ({
    result: { answers: 10, errors, p50Ms: 1, p99Ms },
    cpuUs: 100,
    peakBytes: 1e8,
  });
  const sample = (p99Ms: number, errors: number): ShadowSample => ({
    case: 'slow',
    round: 1,
    ...measured(p99Ms, errors),
    base: measured(2, 0),
  });
  const run = (slow: ShadowSample) => ({
    startedAt: new Date(0),
    machine: 'a machine',
    options: { rounds: 1, seconds: 1, rate: 1, results: undefined },
    samples: [slow],
    counts: {},
  });
  t.match(shadowMarkdown(run(sample(2.1, 0))), /slow: p99 .* met$/m);
  t.match(shadowMarkdown(run(sample(2.3, 0))), /slow: .*NOT MET/);
  t.match(shadowMarkdown(run(sample(2, 1))), /slow: .*NOT MET/);
});
