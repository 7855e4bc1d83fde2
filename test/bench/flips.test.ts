import t from 'tap';
import { flipMarkdown, flipRows } from '../../bench/flips/flip-report.ts';
import { type FlipSample, sorted } from '../../bench/flips/measure-flips.ts';
import { flips } from '../../bench/flips/run-flips.ts';
import type { Flip } from '../../bench/flips/timed-control.ts';
import { percentile } from '../../bench/statistics.ts';

t.setTimeout(90_000);

void t.test('a few flips of two gateways under load are measured and fail nothing', async (t) => {
  const options = { gateways: [2], flips: 6, rate: 60, users: 20, pauseMs: 50, results: undefined };
  const run = await flips(options, () => undefined);

  const [row] = flipRows(run);
  const [sample] = run.samples;
  t.equal(row?.flips, 6);
  t.equal(row?.undone, 0);
  t.equal(row?.failed, 0);
  for (const { totalMs, pendingMs, holdingMs, switchingMs, releasingMs } of sample?.flips ?? []) {
    const phases = [pendingMs, holdingMs, switchingMs, releasingMs];
    t.ok(phases.every((ms) => ms > 0));
    t.ok(Math.abs(totalMs - phases.reduce((sum, ms) => sum + ms)) < 1e-6, 'the phases are the whole flip');
  }
  t.ok((sample?.load.owners.legacy ?? 0) > 0 && (sample?.load.owners.new ?? 0) > 0, 'both backends answered');
  t.match(flipMarkdown(run), /^\| 2 +\|/m);
});

const load = {
  writes: [
    { sentMs: 100, tookMs: 7 },
    { sentMs: 190, tookMs: 30 },
    { sentMs: 200, tookMs: 7 },
  ],
  readsMs: [1],
  owners: { legacy: 1, new: 3 },
  failed: 0,
  failures: [],
};

void t.test('a write that was sent before a release and answered after it was held', async (t) => {
  t.match(sorted([{ releaseMs: 199 }], load), { heldMs: [30], unheldMs: [7, 7] });
});

void t.test('what must not happen is named in the report', async (t) => {
  const flip: Flip = {
    phase: 'done',
    note: undefined,
    totalMs: 400,
    pendingMs: 100,
    holdingMs: 100,
    switchingMs: 100,
    releasingMs: 100,
    releaseMs: 300,
  };
  const undone: Flip = { ...flip, phase: 'undone', note: 'one has not finished the writes that it has' };
  const sample: FlipSample = {
    gateways: 1,
    flips: [flip, undone],
    load: { ...load, failed: 1, failures: ['write of u1: 503'] },
    heldMs: [150],
    unheldMs: [7],
    cpuShare: 0.5,
  };
  const options = { gateways: [1], flips: 2, rate: 1, users: 1, pauseMs: 1, results: undefined };
  const report = flipMarkdown({ startedAt: new Date(0), machine: 'a machine', options, samples: [sample] });
  t.match(report, /p99 under 100: NOT MET/);
  t.match(report, /1: NOT MET[\s\S]*1: NOT MET/, 'an undone flip and a failed request');
  t.match(report, /write of u1: 503/);
  t.match(report, /a flip was undone: one has not finished/);
});

void t.test('a percentile is one of the values', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.equal(percentile(values, 0.99), 99);
  t.equal(percentile(values, 0.5), 50);
  t.equal(percentile([7], 0.01), 7);
  t.throws(() => percentile([], 0.5), RangeError);
});
