import t from 'tap';
import { harmlessCells } from '../../bench/guard/cell.ts';
import { parseGuardSimulationOptions } from '../../bench/guard/guard-simulation-options.ts';
import { guardSimulationMarkdown } from '../../bench/guard/guard-simulation-report.ts';

void t.test('the options have defaults, and nonsense is refused in words', async (t) => {
  t.same(parseGuardSimulationOptions([]), {
    days: 1000,
    runs: 1000,
    seed: 1,
    metrics: ['errorRate', 'meanLatencyMs'],
    results: undefined,
  });
  t.match(parseGuardSimulationOptions(['--days', '24', '--seed', '7']), { days: 24, seed: 7 });
  t.throws(() => parseGuardSimulationOptions(['--days', '0']), /--days 0: a positive whole number/);
  t.throws(() => parseGuardSimulationOptions(['--metrics', 'errors']), /one of errorRate, meanLatencyMs/);
  t.throws(() => parseGuardSimulationOptions(['--nights', '1']));
});

void t.test('the report says how many days there were, each trip, and what was missed', async (t) => {
  const cells = harmlessCells();
  const [cell] = cells;
  if (cell === undefined) throw new Error('no cell');
  const figures = undefined;
  const text = guardSimulationMarkdown({
    startedAt: new Date('2026-11-21T10:00:00Z'),
    machine: 'a machine',
    options: { days: 24, runs: 4, seed: 7, metrics: ['errorRate', 'meanLatencyMs'], results: undefined },
    days: cells.map((each, at) => ({
      cell: each,
      days: 1,
      judged: 3,
      trips: at === 0 ? [{ cell: each, seed: 7, second: 9, path: 'windows', figures }] : [],
    })),
    failures: [
      { cell: { ...cell, rate: 200, value: 1.5 }, delays: [10, 20, 30, undefined], secondsMax: 600 },
    ],
  });
  t.match(text, '--days 24 --runs 4 --metrics errorRate,meanLatencyMs --seed 7');
  t.match(text, '24 days');
  t.match(text, '**1 trips**');
  t.match(text, '| errorRate | 2 | none | 1 | 1 |');
  t.match(text, '| meanLatencyMs | 20 | one user, 30 % of requests, all bad | 1 | 0 |');
  t.match(text, '| errorRate | 200 | 7.5 % | 20 | over 600 | 75 % |');
});
