import t from 'tap';
import type { Sample } from '../../bench/measure.ts';
import { markdown, type Run, summarise } from '../../bench/report.ts';
import { SCENARIOS } from '../../bench/scenarios.ts';
import { median } from '../../bench/statistics.ts';

const GET = SCENARIOS.filter(({ name }) => name === 'get-1k');

function run(cpu: Record<string, readonly number[]>): Run {
  const samples = Object.entries(cpu).flatMap(([peer, rounds]) =>
    rounds.map(
      (cpuUs, round): Sample => ({
        peer,
        scenario: 'get-1k',
        round,
        cpuUs,
        result: { answers: 1000, errors: 0, durationMs: 100, p50Us: 1000, p99Us: 2000 },
      }),
    ),
  );
  return {
    startedAt: new Date('2026-01-02T03:04:05Z'),
    options: {
      rounds: 3,
      seconds: 1,
      connections: 1,
      peers: [],
      scenarios: GET,
      load: 'auto',
      profile: undefined,
      quick: false,
    },
    machine: 'a machine',
    load: 'wrk',
    pinned: true,
    peers: Object.keys(cpu).map((name) => ({ name, title: name, version: '1' })),
    missing: [{ name: 'haproxy', hint: 'apt-get install haproxy' }],
    scenarios: GET,
    samples,
    notes: new Map([['gateway', '42 % of something']]),
    memory: new Map([['gateway', { residentBytes: 100e6, peakBytes: 151e6 }]]),
  };
}

void t.test('a ratio is taken within each round, then the median of the rounds', async (t) => {
  // The second round was disturbed as a whole: both sides cost three times as much.
  const rows = summarise(run({ floor: [40, 120, 40], gateway: [44, 132, 48] }));
  const row = rows.find(({ peer }) => peer === 'floor');
  t.equal(row?.ratio?.median.toFixed(3), '1.100');
  t.equal(row?.ratio?.max.toFixed(3), '1.200');
});

void t.test('a target is met at its bound and missed above it', async (t) => {
  t.match(markdown(run({ floor: [40], 'http-proxy': [100], gateway: [50] })), /at most 1.25: met/);
  t.match(markdown(run({ floor: [40], 'http-proxy': [100], gateway: [51] })), /at most 1.25: NOT MET/);
  t.match(markdown(run({ floor: [40], 'http-proxy': [100], gateway: [65] })), /at most 0.65: met/);
  t.match(markdown(run({ floor: [40], 'http-proxy': [100], gateway: [66] })), /at most 0.65: NOT MET/);
});

void t.test('the gateway’s peak memory is held against its bound', async (t) => {
  t.match(markdown(run({ floor: [40], gateway: [50] })), /at most 150 MB: NOT MET/);
});

void t.test('what was left out is named with what to install', async (t) => {
  t.match(markdown(run({ floor: [40] })), 'apt-get install haproxy');
});

void t.test('without the gateway there are no ratios to it', async (t) => {
  t.notMatch(markdown(run({ floor: [40], nginx: [20] })), 'gateway / peer');
});

void t.test('the median of an even number is the middle of the two', async (t) => {
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([9, 1, 5]), 5);
  t.throws(() => median([]), RangeError);
});
