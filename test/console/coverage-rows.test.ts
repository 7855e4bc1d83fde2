import t from 'tap';
import {
  type CoverageRow,
  coveragePath,
  daysOf,
  skippedInWords,
  sortedRows,
} from '../../src/console/evidence/coverage-rows.ts';

function row(route: string, over: Partial<CoverageRow> = {}): CoverageRow {
  const matched = { count: 90, total: 100, share: 0.9, low: 0.8, high: 0.95 };
  const counts = { confirmed: 0, transient: 0, flapping: 0, unconfirmed: 0, noiseReads: 0, ungrouped: 0 };
  return { route, cohort: 'beta', compared: 100, matched, skipped: {}, ...counts, ...over };
}

const ROWS = [
  row('/b', { compared: 5, skipped: { busy: 1 } }),
  row('/a', { confirmed: 2 }),
  row('/c', { compared: 900, matched: { count: 1, total: 10, share: 0.1, low: 0, high: 0.3 } }),
  row('/d', { compared: 0, matched: { count: 0, total: 0, share: 0, low: 0, high: 1 }, skipped: { x: 9 } }),
];
const order = (sort: string): string =>
  sortedRows(ROWS, sort)
    .map(({ route }) => route)
    .join(' ');

await t.test('coverage stands by name, or what is worst or most first', (t) => {
  t.equal(order('route'), '/a /b /c /d');
  t.equal(order('anything else'), '/a /b /c /d');
  t.equal(order('compared'), '/c /a /b /d');
  t.equal(order('matched'), '/c /a /b /d', 'what was never compared is no bad match');
  t.equal(order('confirmed'), '/a /b /c /d');
  t.equal(order('skipped'), '/d /b /a /c');
  t.end();
});

await t.test('what was skipped is said with its reasons, the most frequent first', (t) => {
  t.equal(skippedInWords({}), '0');
  t.equal(skippedInWords({ over_limit: 3, sampled_out: 1_200, none: 0 }), 'sampled out 1,200, over limit 3');
  t.end();
});

await t.test('how far to look back is one of a few', (t) => {
  t.equal(daysOf('30'), '30');
  t.equal(daysOf('9999'), '7');
  t.equal(daysOf(null), '7');
  t.equal(coveragePath('7', 'a b'), '/api/v1/coverage?days=7&cohort=a+b');
  t.end();
});
