/** A cohort's report as Markdown. Pure. Everything that comes from answers and paths is escaped. */
import { type CohortGroup, type CohortReport, percent } from './cohort-report.ts';
import type { RouteLatency } from './coverage.ts';
import { NO_COHORT } from './report-store.ts';
import type { Share } from './statistics.ts';

const GROUPS_MAX = 50;

export function cohortReportMarkdown(report: CohortReport): string {
  const name = report.cohort === NO_COHORT ? 'requests without a cohort' : `cohort ${cell(report.cohort)}`;
  return [
    `# Shadow reads of ${name}`,
    '',
    `${time(report.from)} to ${time(report.to)}, made ${time(report.madeAt)}.`,
    '',
    `**${share(report.matched)} of ${report.compared} compared reads matched.**`,
    '',
    ...table(
      ['', 'reads', 'share, 95 % interval'],
      [
        ['matched', `${report.matched.count}`, share(report.matched)],
        ['confirmed differences, noise included', `${report.confirmed.count}`, share(report.confirmed)],
        ['transient: gone when read again', `${report.transient}`, ''],
        ['flapping: another difference when read again', `${report.flapping}`, ''],
        ['unconfirmed: could not be read again', `${report.unconfirmed}`, ''],
      ],
    ),
    '',
    '## Differences',
    '',
    ...groupLines(report),
    '',
    '## Coverage',
    '',
    ...coverageLines(report),
    '',
    '## Latency',
    '',
    ...latencyLines(report.latencies),
    '',
    '## What is not known',
    '',
    ...report.unknown.map((sentence) => `- ${cell(sentence)}`),
    '',
  ].join('\n');
}

function groupLines({ groups, hidden, resolved }: CohortReport): string[] {
  const rest = `${resolved} resolved, and ${hidden} that are noise or were never confirmed, are not shown.`;
  if (groups.length === 0) return [`None is open. ${rest}`];
  const more = groups.length > GROUPS_MAX ? `The first ${GROUPS_MAX} of ${groups.length}. ` : '';
  return [
    ...table(
      ['group', 'route', 'where', 'what', 'share of reads', 'users', 'seen', 'state'],
      groups.slice(0, GROUPS_MAX).map(groupCells),
    ),
    '',
    `${more}Ordered by weight. ${rest}`,
  ];
}

function groupCells(group: CohortGroup): string[] {
  const { judgement, status, owner, note } = group;
  const state = [judgement.kind === 'unproven' ? `${status}, not proven yet` : status, owner, note];
  return [
    `\`${group.id}\``,
    cell(group.route),
    code(group.pattern),
    cell(`${group.kind} ${group.types}`),
    share(group.inCohort),
    `about ${group.users.estimate} ± ${group.users.error}`,
    `${time(group.firstSeen)} to ${time(group.lastSeen)}`,
    cell(state.filter((part) => part !== undefined).join('; ')),
  ];
}

function coverageLines({ coverage, skipped }: CohortReport): string[] {
  const rows = coverage.rows.map((row) => [
    cell(row.route),
    `${row.compared}`,
    share(row.matched),
    `${row.noiseReads}`,
    cell(reasons(row.skipped)),
  ]);
  const lines =
    rows.length === 0
      ? ['No read was compared or skipped.']
      : table(['route', 'compared', 'matched', 'repeated for noise', 'skipped'], rows);
  const never =
    coverage.never.length === 0 ? [] : ['', `Never compared: ${coverage.never.map(cell).join(', ')}.`];
  const all =
    Object.keys(skipped).length === 0 ? [] : ['', `Skipped, all routes: ${cell(reasons(skipped))}.`];
  return [...lines, ...all, ...never];
}

function reasons(skipped: Readonly<Record<string, number>>): string {
  return Object.entries(skipped)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}

function latencyLines(latencies: readonly RouteLatency[]): string[] {
  if (latencies.length === 0) return ['No read was answered by both sides.'];
  return [
    ...table(
      [
        'route',
        'served by',
        'pairs',
        'its p50 / p90 / p99',
        'the other, p50 / p90 / p99',
        'difference, p50 / p90 / p99',
      ],
      latencies.map(({ route, authoritative, figures }) => [
        cell(route),
        authoritative,
        `${figures.pairs}`,
        quantiles(figures.authoritative),
        quantiles(figures.secondary),
        quantiles(figures.difference),
      ]),
    ),
    '',
    'Milliseconds, within 5 %. The difference is of one read: the other side minus the one that served.',
  ];
}

function quantiles(of: { readonly p50Ms: number; readonly p90Ms: number; readonly p99Ms: number }): string {
  return [of.p50Ms, of.p90Ms, of.p99Ms].map((ms) => `${Number(ms.toPrecision(3))}`).join(' / ');
}

function share({ count, total, share: value, low, high }: Share): string {
  return total === 0
    ? 'no reads'
    : `${percent(value)} (${percent(low)} to ${percent(high)}; ${count} of ${total})`;
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Text that Markdown takes for nothing but text, on one line. */
function cell(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]()<>#|~!&$]/g, '\\$&')
    .trim();
}

/** A span of code. A pipe ends a cell there too, so it is written as an entity in plain text instead. */
function code(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return line.includes('`') || line.includes('|') || line === '' ? cell(line) : `\`${line}\``;
}
