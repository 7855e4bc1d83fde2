/** The guard's counts of one cohort as series for charts, and as figures of the last seconds. Pure. */
import type { CohortGuardDocument, SecondDocument } from '../admin/guard-documents.ts';

export interface SideSeries {
  /** Requests a second; a step without any is 0, one of which nothing is known `null`. */
  readonly rate: readonly (number | null)[];
  /** Failed of all, 0 to 1; `null` where there was no request. */
  readonly failedShare: readonly (number | null)[];
  /** The slowest second of each step. `null` where there was no answer. */
  readonly p99Ms: readonly (number | null)[];
}

export interface CohortSeries {
  /** The end of each step, seconds since 1970. */
  readonly times: readonly number[];
  readonly legacy: SideSeries;
  readonly new: SideSeries;
}

/** Of both sides of a cohort; seconds since 1970. */
export interface SeriesRange {
  /** The step that it falls into is the last one that is whole. */
  readonly until: number;
  readonly seconds: number;
  readonly step: number;
  /** Nothing is known of the seconds before it. */
  readonly knownFrom?: number | undefined;
}

/** @param range `step` seconds become one point; steps begin at multiples of it, so that points do not wander */
export function seriesOf(
  guard: Pick<CohortGuardDocument, 'legacy' | 'new'>,
  range: SeriesRange,
): CohortSeries {
  const { until, seconds, step, knownFrom = Number.NEGATIVE_INFINITY } = range;
  const last = Math.floor(until / step) * step;
  const count = Math.max(1, Math.floor(seconds / step));
  const times = Array.from({ length: count }, (_, index) => last - (count - 1 - index) * step);
  const side = (of: readonly SecondDocument[]): SideSeries => {
    const steps = inSteps(of, times, step);
    return {
      rate: steps.map((each, index) =>
        (times[index] ?? 0) - step < knownFrom - 1 ? null : sum(each, ({ requests }) => requests) / step,
      ),
      failedShare: steps.map(failedShare),
      p99Ms: steps.map(slowest),
    };
  };
  return { times, legacy: side(guard.legacy.seconds), new: side(guard.new.seconds) };
}

export interface SideNow {
  readonly rate: number;
  readonly failedShare: number | null;
  readonly p99Ms: number | null;
}

/** Of the last whole seconds before `until`. */
export function nowOf(all: readonly SecondDocument[], until: number, seconds: number): SideNow {
  const recent = all.filter(({ second }) => second <= until && second > until - seconds);
  return {
    rate: sum(recent, ({ requests }) => requests) / seconds,
    failedShare: failedShare(recent),
    p99Ms: slowest(recent),
  };
}

/** The seconds that belong to each step: those after the one before, up to its own time. */
function inSteps(of: readonly SecondDocument[], times: readonly number[], step: number): SecondDocument[][] {
  const steps: SecondDocument[][] = times.map(() => []);
  const first = times[0] ?? 0;
  for (const second of of) steps[Math.ceil((second.second - first) / step)]?.push(second);
  return steps;
}

function sum(seconds: readonly SecondDocument[], of: (second: SecondDocument) => number): number {
  return seconds.reduce((total, second) => total + of(second), 0);
}

function failedShare(seconds: readonly SecondDocument[]): number | null {
  const requests = sum(seconds, (second) => second.requests);
  return requests === 0 ? null : sum(seconds, ({ failed }) => failed) / requests;
}

function slowest(seconds: readonly SecondDocument[]): number | null {
  const known = seconds.flatMap(({ p99LatencyMs }) => p99LatencyMs ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** Whether any request is among them. */
export function hasRequests({ legacy, new: renewed }: CohortSeries): boolean {
  return [...legacy.rate, ...renewed.rate].some((rate) => rate !== null && rate > 0);
}
