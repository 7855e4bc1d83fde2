import { percentile } from '../statistics.ts';
import { type Cell, HARMLESS, type SimulatedMetric, THRESHOLDS } from './cell.ts';
import type { GuardSimulationOptions } from './guard-simulation-options.ts';
import type { Delay, SimulatedDays } from './simulate.ts';

export interface SimulatedFailures {
  readonly cell: Cell;
  /** Seconds from the first failing request to the trip; `undefined` for none in `secondsMax`. */
  readonly delays: readonly Delay[];
  readonly secondsMax: number;
}

export interface GuardSimulation {
  readonly startedAt: Date;
  readonly machine: string;
  readonly options: GuardSimulationOptions;
  readonly days: readonly SimulatedDays[];
  readonly failures: readonly SimulatedFailures[];
}

/** What is asked for: trips on all the days together, and trips within a minute at 1.5 times the threshold. */
export const TRIPS_MAX = 1;
export const POWER_SECONDS = 60;
export const POWER_MIN = 0.99;

export function powerWithin(seconds: number, delays: readonly Delay[]): number {
  return delays.filter((delay) => delay !== undefined && delay <= seconds).length / delays.length;
}

export function guardSimulationMarkdown({
  startedAt,
  machine,
  options,
  days,
  failures,
}: GuardSimulation): string {
  const trips = days.flatMap((one) => one.trips);
  const total = days.reduce((sum, one) => sum + one.days, 0);
  return [
    `# The guard in simulation, ${startedAt.toISOString().slice(0, 10)}`,
    '',
    `${machine}. \`npm run bench -- guard-simulation --days ${options.days} --runs ${options.runs} --metrics ${options.metrics.join(',')} --seed ${options.seed}\``,
    '',
    `${total} days on which \`new\` does what it may: an error rate of ${percent(HARMLESS.errorRate * THRESHOLDS.errorRate)} ` +
      `with a threshold of ${percent(THRESHOLDS.errorRate)}, or a mean latency of ` +
      `${HARMLESS.meanLatencyMs * THRESHOLDS.meanLatencyMs} ms with one of ${THRESHOLDS.meanLatencyMs} ms; nights, peaks, ` +
      `bursts, heavy tails, and trouble that is not the backend's. **${trips.length} trips** (asked for: at most ${TRIPS_MAX}).`,
    '',
    '| metric | requests/s | trouble | days | trips |',
    '| --- | --- | --- | --- | --- |',
    ...days.map(({ cell, days: each, trips: own }) =>
      row(cell.metric, cell.rate, troubleText(cell), each, own.length),
    ),
    '',
    'Failures that last: seconds from the first failing request to the trip. A share of runs, of all runs.',
    '',
    `| metric | requests/s | value | median s | 99 % s | within ${POWER_SECONDS} s |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...failures.map(({ cell, delays, secondsMax }) => {
      const seconds = delays.map((delay) => delay ?? Number.POSITIVE_INFINITY);
      const at = (share: number): string => {
        const value = percentile(seconds, share);
        return Number.isFinite(value) ? String(value) : `over ${secondsMax}`;
      };
      const power = percent(powerWithin(POWER_SECONDS, delays));
      return row(cell.metric, cell.rate, valueText(cell.metric, cell.value), at(0.5), at(0.99), power);
    }),
    '',
  ].join('\n');
}

export function troubleText({ trouble }: Cell): string {
  switch (trouble.kind) {
    case 'none':
      return 'none';
    case 'gateway':
      return 'all bad at one of three gateways';
    case 'user':
      return `one user, ${percent(trouble.share)} of requests, all bad`;
    default:
      return trouble satisfies never;
  }
}

function valueText(metric: SimulatedMetric, value: number): string {
  return metric === 'errorRate'
    ? percent(Math.min(1, value * THRESHOLDS.errorRate))
    : `${value * THRESHOLDS.meanLatencyMs} ms`;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}

function row(...cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
