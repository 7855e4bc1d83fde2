import { median, spread } from '../statistics.ts';
import { CASES, type Case, type PacedResult, TITLES } from './shadow-cases.ts';
import type { ShadowOptions } from './shadow-options.ts';

/** One gateway in one round. */
export interface Measured {
  readonly result: PacedResult;
  /** CPU of the gateway for one request, microseconds. */
  readonly cpuUs: number;
  /** The most that was resident in this round, bytes. */
  readonly peakBytes: number;
}

export interface ShadowSample extends Measured {
  readonly case: Case;
  readonly round: number;
  /** The gateway without shadow reads, in the same seconds. */
  readonly base: Measured;
}

export interface ShadowRun {
  readonly startedAt: Date;
  readonly machine: string;
  readonly options: ShadowOptions;
  readonly samples: readonly ShadowSample[];
  /** Shadow reads of the whole run, by verdict and by the reason for which they were skipped. */
  readonly counts: { readonly [C in Case]?: Readonly<Record<string, number>> };
}

export interface ShadowRow {
  readonly case: Case;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** To the gateway beside it; the median of the rounds, and the least and the most. */
  readonly p99Ratio: { readonly median: number; readonly min: number; readonly max: number };
  readonly cpuRatio: number;
  readonly cpuUs: number;
  readonly errors: number;
  readonly peakBytes: number;
}

/** What the issue asks for. */
const P99_RATIO_MAX = 1.1;

export function shadowRows({ samples }: Pick<ShadowRun, 'samples'>): ShadowRow[] {
  return CASES.flatMap((each) => {
    const own = samples.filter((sample) => sample.case === each);
    if (own.length === 0) return [];
    const ratio = (of: (measured: Measured) => number): number[] =>
      own.map((sample) => of(sample) / of(sample.base));
    return [
      {
        case: each,
        p50Ms: median(own.map(({ result }) => result.p50Ms)),
        p99Ms: median(own.map(({ result }) => result.p99Ms)),
        p99Ratio: spread(ratio(({ result }) => result.p99Ms)),
        cpuRatio: median(ratio(({ cpuUs }) => cpuUs)),
        cpuUs: median(own.map(({ cpuUs }) => cpuUs)),
        errors: own.reduce((sum, { result }) => sum + result.errors, 0),
        peakBytes: Math.max(...own.map(({ peakBytes }) => peakBytes)),
      },
    ];
  });
}

export function shadowMarkdown(run: ShadowRun): string {
  const { rounds, seconds, rate } = run.options;
  const rows = shadowRows(run);
  const verdicts = rows
    .filter((row) => row.case !== 'off')
    .map(({ case: each, p99Ratio, errors }) => {
      const isMet = p99Ratio.median <= P99_RATIO_MAX && errors === 0;
      return `- ${each}: p99 at most ${P99_RATIO_MAX} of none, no errors: ${isMet ? 'met' : 'NOT MET'}`;
    });
  return `# What users pay for shadow reads

${run.startedAt.toISOString()}, ${run.machine}. ${rounds} rounds of ${seconds} s for each case. A gateway that
copies every read and one that copies none have ${rate} requests a second each at the same time; ratios are to the latter,
the medians of the rounds, and in brackets the least and the most. The first row is what two gateways differ by that do the
same. The load, both gateways, both backends and the record share the machine, so the copies cost users CPU that in
production they would not.

| secondary | p50, ms | p99, ms | p99 to none | CPU to none | errors | most memory |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map(rowText).join('\n')}

${verdicts.join('\n')}

Shadow reads of the whole run:

${Object.entries(run.counts)
  .map(([each, counts]) => `- ${each}: ${countText(counts)}`)
  .join('\n')}
`;
}

function rowText({ case: each, p50Ms, p99Ms, p99Ratio, cpuRatio, errors, peakBytes }: ShadowRow): string {
  const { median: middle, min, max } = p99Ratio;
  const cells = [
    TITLES[each],
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    `${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`,
    cpuRatio.toFixed(2),
    String(errors),
    `${Math.round(peakBytes / 1e6)} MB`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function countText(counts: Readonly<Record<string, number>>): string {
  const named = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return named.length === 0 ? 'none' : named.join(', ');
}
