import { median, spread } from '../statistics.ts';
import { FAULTS, type Fault, SERVICE_MS, type TripLoadResult } from './faults.ts';
import type { TripOptions } from './trip-options.ts';

export interface TripSample {
  readonly fault: Fault;
  readonly rate: number;
  /** From the fault on, milliseconds; `undefined` when the guard had not tripped in time. */
  readonly trippedMs: number | undefined;
  /** To the rollback in force at every gateway. */
  readonly inForceMs: number | undefined;
  readonly condition: string | undefined;
  /** How much of the machine's cores was in use in the last seconds before the fault, 0 to 1. */
  readonly busyBefore: number;
  /** What the guard says of its trip. */
  readonly why: readonly string[];
  /** From the fault until two seconds after the rollback. */
  readonly load: TripLoadResult;
}

export interface TripRun {
  readonly startedAt: Date;
  readonly machine: string;
  readonly options: TripOptions;
  readonly samples: readonly TripSample[];
}

/** The three faults that have to be over soon, from this rate on. */
const SUDDEN: readonly Fault[] = ['refused', 'hanging', '100 % 5xx'];
const SUDDEN_MS_MAX = 2_000;
const SUDDEN_RATE_MIN = 200;

function seconds(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return 'not in time';
  const { median, min, max } = spread(known.map((ms) => ms / 1_000));
  const missed = values.length - known.length;
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})${missed > 0 ? `, ${missed} not in time` : ''}`;
}

function verdict(fault: Fault, rate: number, samples: readonly TripSample[]): string {
  const failed = samples.some(({ load }) => load.failedReads > 0);
  if (!SUDDEN.includes(fault)) return '';
  const slow = samples.some(({ inForceMs }) => inForceMs === undefined || inForceMs > SUDDEN_MS_MAX);
  const inTime = rate < SUDDEN_RATE_MIN ? '' : slow ? 'in 2 s: NOT MET; ' : 'in 2 s: met; ';
  return `${inTime}no failed reads: ${failed ? 'NOT MET' : 'met'}`;
}

export function tripMarkdown({ startedAt, machine, options, samples }: TripRun): string {
  const lines = [
    '# From the first failure to the rollback in force',
    '',
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine}.`,
    `${options.rounds} runs of each; ${options.gateways} gateways, each a process with a guard of its own, with Redis and`,
    'Postgres, the load and both backends on this machine. One cohort at `live` with a ramp of 80 %, so that legacy has',
    `figures too; one request in twenty is a write. Both backends take ${SERVICE_MS} ms for a request. The conditions`,
    'are the defaults, and one more: the median of `new` over twice that of `legacy`. Seconds from the moment at which the',
    'backend begins to fail: median, and in brackets the least and the most. Reads are counted from before the fault until',
    'two seconds after the rollback. *Busy* is how much of the cores all of this used before anything failed: where little is',
    'left, what the fallback and the barrier cost makes everybody wait for the cores.',
    '',
    '| fault | requests/s | tripped after | in force everywhere after | condition | failed reads | slowest read, ms | busy | targets |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const fault of FAULTS) {
    for (const rate of options.rates) {
      const mine = samples.filter((sample) => sample.fault === fault && sample.rate === rate);
      if (mine.length === 0) continue;
      const sum = (of: (load: TripLoadResult) => number): number =>
        mine.reduce((total, { load }) => total + of(load), 0);
      const conditions = [...new Set(mine.map(({ condition }) => condition ?? '-'))].join(', ');
      const cells = [
        fault,
        String(rate),
        seconds(mine.map(({ trippedMs }) => trippedMs)),
        seconds(mine.map(({ inForceMs }) => inForceMs)),
        conditions,
        `${sum(({ failedReads }) => failedReads)} of ${sum(({ reads }) => reads)}`,
        Math.max(...mine.map(({ load }) => load.slowestReadMs)).toFixed(0),
        `${(100 * median(mine.map(({ busyBefore }) => busyBefore))).toFixed(0)} %`,
        verdict(fault, rate, mine),
      ];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
