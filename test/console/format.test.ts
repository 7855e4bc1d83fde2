import t from 'tap';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatRamp,
  formatRate,
  formatShare,
  formatTime,
  formatUtc,
} from '../../src/console/format.ts';

void t.test('what is not known is a dash', async (t) => {
  t.same(
    [formatCount(null), formatShare(undefined), formatDuration(Number.NaN), formatRate(null)],
    ['–', '–', '–', '–'],
  );
});

void t.test('a share never reads as all or nothing unless it is', async (t) => {
  t.equal(formatShare(0), '0 %');
  t.equal(formatShare(1), '100 %');
  t.equal(formatShare(0.5), '50.0 %');
  t.equal(formatShare(0.05), '5.00 %');
  t.equal(formatShare(0.99998), '99.998 %');
  t.equal(formatShare(0.000_02), '0.002 %');
  t.equal(formatShare(0.000_000_01), '< 0.0001 %');
  t.equal(formatShare(0.999_999_999), '> 99.9999 %');
});

void t.test('durations have the units that fit them', async (t) => {
  t.same(
    [0, 0.25, 1.25, 12.4, 999, 1_250, 59_000, 61_000, 3_600_000, 7_500_000, 90_000_000].map(formatDuration),
    [
      '0 ms',
      '250 µs',
      '1.3 ms',
      '12 ms',
      '999 ms',
      '1.3 s',
      '59 s',
      '1 min 1 s',
      '1 h',
      '2 h 5 min',
      '1 d 1 h',
    ],
  );
});

void t.test('counts, rates, bytes and ramps say their units', async (t) => {
  t.equal(formatCount(12_345), '12,345');
  t.equal(formatCount(7_500_000, true), '7.5M');
  t.equal(formatRate(0.42), '0.4/s');
  t.equal(formatRate(1_234.5), '1,235/s');
  t.equal(formatBytes(1_572_864), '1.5 MiB');
  t.equal(formatRamp('12.5%'), '12.5 %');
  t.equal(formatRamp(1_000), '1,000 users');
});

void t.test('a time is told in a zone, and in UTC', async (t) => {
  const at = new Date('2026-07-01T22:30:05Z');
  t.equal(formatTime(at, new Date('2026-07-02T00:00:00Z'), 'Europe/Berlin'), '2 Jul 00:30:05');
  t.equal(formatTime(at, new Date('2027-07-02T00:00:00Z'), 'UTC'), '1 Jul 2026 22:30:05');
  t.equal(formatUtc(at), '2026-07-01 22:30:05 UTC');
  t.equal(formatUtc(new Date('never')), '–');
});

void t.test('how long ago, in one unit', async (t) => {
  t.same([500, 12_000, 130_000, 7_300_000, -65_000].map(formatAgo), [
    'just now',
    '12 s ago',
    '2 min ago',
    '2 h ago',
    'in 1 min',
  ]);
});
