/** What the flips found, on the terminal, in Markdown and in JSON. */
import { render } from '../report.ts';
import { percentile } from '../statistics.ts';
import type { FlipOptions } from './flip-options.ts';
import { WRITE_MS } from './load.ts';
import type { FlipSample } from './measure-flips.ts';
import type { Flip } from './timed-control.ts';

/** Bound on the p99 of what a hold adds to a write, milliseconds. */
const ADDED_P99_MS_MAX = 100;

/** Too few flips for a p99. */
export function isQuick({ flips }: FlipOptions): boolean {
  return flips < 100;
}

export interface FlipRun {
  readonly startedAt: Date;
  readonly machine: string;
  readonly options: FlipOptions;
  readonly samples: readonly FlipSample[];
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

export interface FlipRow {
  readonly gateways: number;
  readonly flips: number;
  readonly undone: number;
  readonly total: Quantiles;
  readonly pending: Quantiles;
  readonly holding: Quantiles;
  readonly switching: Quantiles;
  readonly releasing: Quantiles;
  /** The median of this row divided by that of the first. */
  readonly toFirst: number;
  readonly heldWrites: number;
  readonly unheldWrites: number;
  /** Of writes that were not held. */
  readonly unheld: Quantiles;
  /** What a held write took beyond the median of those that were not. */
  readonly added: Quantiles;
  readonly read: Quantiles;
  readonly requests: number;
  readonly failed: number;
  readonly cpuShare: number;
}

function quantiles(values: readonly number[]): Quantiles {
  if (values.length === 0) return { p50: Number.NaN, p99: Number.NaN };
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99) };
}

export function flipRows({ samples }: Pick<FlipRun, 'samples'>): FlipRow[] {
  const firstMs = quantiles(samples[0]?.flips.map(({ totalMs }) => totalMs) ?? []).p50;
  return samples.map(({ gateways, flips, load, heldMs, unheldMs, cpuShare }) => {
    const done = flips.filter(({ phase }) => phase === 'done');
    const of = (pick: (flip: Flip) => number): Quantiles => quantiles(done.map(pick));
    const total = of(({ totalMs }) => totalMs);
    const unheld = quantiles(unheldMs);
    return {
      gateways,
      flips: done.length,
      undone: flips.length - done.length,
      total,
      pending: of(({ pendingMs }) => pendingMs),
      holding: of(({ holdingMs }) => holdingMs),
      switching: of(({ switchingMs }) => switchingMs),
      releasing: of(({ releasingMs }) => releasingMs),
      toFirst: total.p50 / firstMs,
      heldWrites: heldMs.length,
      unheldWrites: unheldMs.length,
      unheld,
      added: quantiles(heldMs.map((ms) => ms - unheld.p50)),
      read: quantiles(load.readsMs),
      requests: load.writes.length + load.readsMs.length + load.failed,
      failed: load.failed,
      cpuShare,
    };
  });
}

export function flipMarkdown(run: FlipRun): string {
  const { startedAt, machine, options, samples } = run;
  const rows = flipRows(run);
  const failures = samples.flatMap(({ gateways, flips, load }) => [
    ...load.failures.map((failure) => `- ${gateways} gateways: ${failure}`),
    ...flips
      .filter(({ phase }) => phase !== 'done')
      .map(({ phase, note }) => `- ${gateways} gateways: a flip was ${phase}: ${note}`),
  ]);
  return [
    '# Flips under load',
    '',
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine}.`,
    `${options.flips} flips for each number of gateways, each gateway a process, all on this machine with Redis and`,
    `Postgres (which writes each commit to the disk); ${options.rate} requests a second over all gateways, half of them`,
    `writes that a backend works on for ${WRITE_MS} ms; ${options.users} users in one cohort, all of them held by each flip.`,
    'A flip moves the cohort between `shadow` and `live`, or its ramp between 10 and 50 %.',
    'The times are those of this machine; what can be compared are the ratios.',
    ...(isQuick(options) ? ['', '**A quick run: not to be quoted.**'] : []),
    '',
    '## From the request to in force everywhere',
    '',
    'Milliseconds, p50 / p99. A phase lasts until the next one is committed.',
    '',
    ...render([
      ['gateways', 'flip', 'to first', 'pending', 'holding', 'switching', 'releasing', 'undone'],
      ...rows.map((row) => [
        `${row.gateways}`,
        both(row.total),
        row.toFirst.toFixed(2),
        both(row.pending),
        both(row.holding),
        both(row.switching),
        both(row.releasing),
        mustBeNone(row.undone),
      ]),
    ]),
    '',
    '## What clients saw',
    '',
    'Milliseconds, p50 / p99. What a hold adds is counted from the median of the writes that were not held.',
    '',
    ...render([
      [
        'gateways',
        'held writes',
        'hold adds',
        'target',
        'other writes',
        'reads',
        'requests',
        'failed',
        'CPU in use',
      ],
      ...rows.map((row) => [
        `${row.gateways}`,
        `${row.heldWrites}`,
        both(row.added),
        `p99 under ${ADDED_P99_MS_MAX}: ${row.added.p99 < ADDED_P99_MS_MAX ? 'met' : 'NOT MET'}`,
        both(row.unheld),
        both(row.read),
        `${row.requests}`,
        mustBeNone(row.failed),
        `${(row.cpuShare * 100).toFixed(0)} %`,
      ]),
    ]),
    ...(failures.length > 0 ? ['', '## What failed', '', ...failures] : []),
    '',
  ].join('\n');
}

function both({ p50, p99 }: Quantiles): string {
  return `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
}

function mustBeNone(count: number): string {
  return count === 0 ? '0: met' : `${count}: NOT MET`;
}
