import t from 'tap';
import type { SecondDocument } from '../../src/admin/guard-documents.ts';
import { joinSeconds, WINDOW_SECONDS } from '../../src/console/live-window.ts';

function second(at: number, requests = 1): SecondDocument {
  return { second: at, requests, failed: 0, meanLatencyMs: 1, p50LatencyMs: 1, p99LatencyMs: 1 };
}

void t.test('an update replaces its seconds and adds the new ones', async (t) => {
  const joined = joinSeconds([second(1), second(2), second(3)], [second(2, 5), second(4)]);
  t.same(
    joined.map(({ second: at, requests }) => [at, requests]),
    [
      [1, 1],
      [2, 5],
      [4, 1],
    ],
    'second 3 had been counted into another one meanwhile',
  );
});

void t.test('an update without seconds takes nothing away', async (t) => {
  t.equal(joinSeconds([second(1)], []).length, 1);
});

void t.test('what is older than the window is let go', async (t) => {
  const joined = joinSeconds([second(1), second(10)], [second(WINDOW_SECONDS + 1)]);
  t.same(
    joined.map(({ second: at }) => at),
    [10, WINDOW_SECONDS + 1],
  );
});
