import t from 'tap';
import { cohortReport, percent } from '../../src/reports/cohort-report.ts';
import { cohortReportMarkdown } from '../../src/reports/cohort-report-markdown.ts';
import { coverageOf, latenciesOf } from '../../src/reports/coverage.ts';
import { judgeGroup } from '../../src/reports/judged-group.ts';
import { LatencySketch } from '../../src/reports/latency-sketch.ts';
import type { CoverageRow, GroupRow, PairCounts } from '../../src/reports/report-store.ts';
import { NOW, row } from './report-world.ts';

const HOUR = 3_600_000;

function latency(): Uint8Array {
  const sketch = new LatencySketch();
  for (let read = 0; read < 10; read += 1) sketch.observe(10, 20);
  return sketch.encode();
}

function pairs(over: Partial<PairCounts> = {}): PairCounts {
  return {
    route: 'orders',
    cohort: 'staff',
    authoritative: 'legacy',
    compared: 1_000,
    matched: 950,
    covered: 100,
    transient: 5,
    confirmed: 45,
    flapping: 0,
    unconfirmed: 0,
    latency: latency(),
    ...over,
  };
}

const ROWS: readonly CoverageRow[] = [
  {
    route: 'orders',
    cohort: 'staff',
    pairs: [
      pairs(),
      pairs({ authoritative: 'new', compared: 200, matched: 200, confirmed: 0, transient: 0 }),
    ],
    sides: new Map([
      ['noise_reads', 100],
      ['skip:breaker_open', 50],
      ['skip:memory', 70],
      ['ungrouped', 3],
    ]),
  },
  {
    route: 'rare|route',
    cohort: 'staff',
    pairs: [
      pairs({ route: 'rare|route', compared: 30, matched: 30, confirmed: 0, latency: new Uint8Array() }),
    ],
    sides: new Map(),
  },
];

const ROUTES = ['orders', 'rare|route', 'forgotten', 'static'].map((name) => ({
  name,
  isShadowed: name !== 'static',
}));
const TOTALS = [
  { route: 'orders', cohort: 'staff', compared: 9, noiseReads: 0 },
  { route: 'rare|route', cohort: 'staff', compared: 9, noiseReads: 0 },
];

function reportOf(groups: readonly GroupRow[], rows = ROWS) {
  const coverage = coverageOf(rows, TOTALS, ROUTES, { from: NOW - 24 * HOUR, to: NOW });
  const counted = [
    { at: NOW - 5 * HOUR, route: 'orders', compared: 9_000, noiseReads: 0 },
    { at: NOW - 2 * HOUR, route: 'orders', compared: 150, noiseReads: 0 },
    { at: NOW - HOUR, route: 'orders', compared: 50, noiseReads: 0 },
    { at: NOW - HOUR, route: 'users', compared: 77, noiseReads: 0 },
  ];
  const evidence = { cohort: 'staff', madeAt: NOW, coverage, latencies: latenciesOf(rows), counted };
  return cohortReport({ ...evidence, groups: groups.map(judgeGroup) });
}

await t.test('the report adds up routes and directions, and says what is not known', (t) => {
  const report = reportOf([
    row('a'),
    row('b', { weight: 100 }),
    row('gone', { status: 'resolved' }),
    row('hum', { raw: 1_000, noise: 100 }),
  ]);
  t.match(report, {
    compared: 1_230,
    matched: { count: 1_180, total: 1_230 },
    transient: 10,
    skipped: { memory: 70, breaker_open: 50 },
    resolved: 1,
    hidden: 1,
  });
  t.strictSame(
    report.groups.map(({ id }) => id),
    ['b', 'a'],
    'by weight',
  );
  // Of the hours since its counts began: 150 + 50.
  t.match(report.groups[0]?.inCohort, { count: 40, total: 200, share: 0.2 });
  t.match(
    report.latencies.map(({ authoritative, figures }) => [authoritative, figures.pairs]),
    [
      ['legacy', 10],
      ['new', 10],
    ],
  );
  const unknown = report.unknown.join('\n');
  for (const said of [
    /Never compared: forgotten/,
    /configuration says so: static/,
    /rare\|route: 30 compared reads; .* 10 %/,
    /120 reads that were due were skipped, 8.89 %/,
    /3 reads had differences for which no group/,
    /No read was repeated for noise on rare\|route/,
    /Writes are not compared/,
  ]) {
    t.match(unknown, said);
  }
  t.end();
});

await t.test('a cohort of which nothing was compared has a report that says so', (t) => {
  const report = reportOf([], []);
  t.strictSame(report.unknown, ['No read of cohort staff was compared in this time: nothing is known.']);
  t.match(cohortReportMarkdown(report), /None is open/);
  t.end();
});

await t.test('Markdown: tables whose cells nothing breaks, and no markup from answers', (t) => {
  const nasty = row('x', {
    pattern: "$['a|b`c']",
    owner: '<img src=x>',
    note: 'line\n| two [link](http://x) **bold**',
    route: 'orders',
  });
  const text = cohortReportMarkdown(reportOf([nasty]));
  const table = text.split('\n').filter((line) => line.startsWith('|'));
  for (const line of table) {
    const cells = line.replaceAll(/\\./g, '').split('|').length;
    const of = table.find((head) => table.indexOf(head) <= table.indexOf(line));
    t.ok(cells >= 4 && of !== undefined, line);
  }
  const [head = '', , body = ''] = table.slice(table.findIndex((line) => line.startsWith('| group')));
  const columns = (line: string) => line.replaceAll(/\\./g, '').split('|').length;
  t.equal(columns(body), columns(head));
  t.notMatch(text, /(?<!\\)(?:<img|\[link|\*\*bold)/);
  t.match(text, /^# Shadow reads of cohort staff$/m);
  t.match(text, /^\*\*95\.93 % \(94\.68 % to 96\.9 %; 1180 of 1230\) of 1230 compared reads matched\.\*\*$/m);
  t.match(text, /\| orders \| legacy \| 10 \| 9\.9\d \/ 9\.9\d \/ 9\.9\d \|/);
  t.end();
});

await t.test('shares are written as people write them', (t) => {
  t.strictSame([0, 0.000_412, 0.0123, 0.1234, 0.999_99, 1].map(percent), [
    '0 %',
    '0.041 %',
    '1.23 %',
    '12.34 %',
    '100 %',
    '100 %',
  ]);
  t.end();
});
