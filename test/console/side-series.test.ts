import t from 'tap';
import type { SecondDocument, SideDocument } from '../../src/admin/guard-documents.ts';
import { hasRequests, nowOf, seriesOf } from '../../src/console/side-series.ts';

function second(at: number, requests: number, failed = 0, p99LatencyMs: number | null = 10): SecondDocument {
  return {
    second: at,
    requests,
    failed,
    meanLatencyMs: p99LatencyMs,
    p50LatencyMs: p99LatencyMs,
    p99LatencyMs,
  };
}

function side(seconds: SecondDocument[]): SideDocument {
  const window = { requests: 0, failed: 0, stalled: 0, late: 0, compared: 0, mismatched: 0 };
  return { seconds, window, kinds: {} };
}

void t.test('seconds are gathered into steps that end at multiples of the step', async (t) => {
  const legacy = side([second(91, 4), second(92, 6, 1, 40), second(93, 10, 0, 20), second(99, 7)]);
  const series = seriesOf({ legacy, new: side([]) }, { until: 99, seconds: 8, step: 2 });
  t.same(series.times, [92, 94, 96, 98]);
  t.same(series.legacy.rate, [5, 5, 0, 0], 'the second after the last whole step is not in it');
  t.same(series.legacy.failedShare, [0.1, 0, null, null]);
  t.same(series.legacy.p99Ms, [40, 20, null, null]);
});

void t.test('a side without requests has a rate of none, and no other figures', async (t) => {
  const { new: renewed } = seriesOf({ legacy: side([]), new: side([]) }, { until: 10, seconds: 4, step: 2 });
  t.same(renewed, { rate: [0, 0], failedShare: [null, null], p99Ms: [null, null] });
});

void t.test('what is older than the range is not in it', async (t) => {
  const { legacy } = seriesOf(
    { legacy: side([second(1, 5)]), new: side([]) },
    { until: 100, seconds: 4, step: 2 },
  );
  t.same(legacy.rate, [0, 0]);
});

void t.test('now is the last seconds that are whole', async (t) => {
  const seconds = [second(89, 100), second(95, 10, 5, 30), second(100, 10), second(101, 99)];
  t.same(nowOf(seconds, 100, 10), { rate: 2, failedShare: 0.25, p99Ms: 30 });
  t.same(nowOf([], 100, 10), { rate: 0, failedShare: null, p99Ms: null });
});

void t.test(
  'of the time before it was told nothing is known, which is not the same as no request',
  async (t) => {
    const legacy = side([second(96, 4), second(98, 2)]);
    const range = { until: 99, seconds: 8, step: 2, knownFrom: 95 };
    const series = seriesOf({ legacy, new: side([]) }, range);
    t.same(series.times, [92, 94, 96, 98]);
    t.same(
      [series.legacy.rate, series.new.rate],
      [
        [null, null, 2, 1],
        [null, null, 0, 0],
      ],
    );
    t.ok(hasRequests(series));
    t.notOk(hasRequests(seriesOf({ legacy: side([]), new: side([]) }, range)));
  },
);
