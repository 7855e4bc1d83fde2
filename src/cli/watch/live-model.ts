/** What is known by now: the latest status, and two minutes of both backends of each cohort. */
import type { CohortGuardDocument, SecondDocument } from '../../admin/guard-documents.ts';
import type { LiveDocument } from '../../admin/live-document.ts';
import type { Backend } from '../../model.ts';

export const SECONDS_KEPT = 120;
/** The newest second may not be whole yet; the ones before it are averaged. */
const SECONDS_AVERAGED = 5;

export interface SideSeries {
  /** Oldest first, one a second, without the one that is not over. A second without requests has no latency. */
  readonly requests: readonly number[];
  readonly failedShare: readonly (number | undefined)[];
  readonly meanLatencyMs: readonly (number | undefined)[];
  /** Of the last seconds. */
  readonly now: {
    readonly requestsPerSecond: number;
    readonly failedShare: number | undefined;
    readonly meanLatencyMs: number | undefined;
    readonly p99LatencyMs: number | undefined;
  };
}

type Seconds = Map<number, SecondDocument>;

export class LiveModel {
  #latest: LiveDocument | undefined;
  #tookAtMs = 0;
  readonly #sides = new Map<string, Seconds>();
  #newest = 0;
  #newestAtMs = 0;

  get latest(): LiveDocument | undefined {
    return this.#latest;
  }

  /** @param nowMs of a monotonic clock */
  take(document: LiveDocument, nowMs: number): void {
    this.#latest = document;
    this.#tookAtMs = nowMs;
    const cohorts = document.guard?.cohorts ?? [];
    for (const cohort of cohorts) {
      this.#merge(cohort, 'legacy', nowMs);
      this.#merge(cohort, 'new', nowMs);
    }
    const known = new Set(cohorts.map(({ cohort }) => cohort));
    for (const key of this.#sides.keys()) {
      if (!known.has(key.slice(key.indexOf(' ') + 1)) && cohorts.length > 0) this.#sides.delete(key);
    }
  }

  /** How long ago the latest news came. */
  ageMs(nowMs: number): number {
    return nowMs - this.#tookAtMs;
  }

  #merge(cohort: CohortGuardDocument, side: Backend, nowMs: number): void {
    const key = `${side} ${cohort.cohort}`;
    const seconds: Seconds = this.#sides.get(key) ?? new Map();
    this.#sides.set(key, seconds);
    for (const second of cohort[side].seconds) {
      seconds.set(second.second, second);
      if (second.second <= this.#newest) continue;
      this.#newest = second.second;
      this.#newestAtMs = nowMs;
    }
    for (const second of seconds.keys()) {
      if (second < this.#newest - SECONDS_KEPT) seconds.delete(second);
    }
  }

  /** The clock that stamps the seconds, as far as it is known: it goes on while nobody sends anything. */
  #now(nowMs: number): number {
    return this.#newest + Math.floor((nowMs - this.#newestAtMs) / 1_000);
  }

  series(cohort: string, side: Backend, nowMs: number): SideSeries {
    const seconds = this.#sides.get(`${side} ${cohort}`) ?? new Map<number, SecondDocument>();
    const now = this.#now(nowMs);
    const all = Array.from({ length: SECONDS_KEPT }, (_, index) => seconds.get(now - SECONDS_KEPT + index));
    return {
      requests: all.map((second) => second?.requests ?? 0),
      failedShare: all.map((second) => failedShare(second === undefined ? [] : [second])),
      meanLatencyMs: all.map((second) => second?.meanLatencyMs ?? undefined),
      now: average(all.slice(-SECONDS_AVERAGED)),
    };
  }
}

function failedShare(seconds: readonly SecondDocument[]): number | undefined {
  const requests = seconds.reduce((sum, second) => sum + second.requests, 0);
  if (requests === 0) return undefined;
  return seconds.reduce((sum, second) => sum + second.failed, 0) / requests;
}

function average(seconds: readonly (SecondDocument | undefined)[]): SideSeries['now'] {
  const known = seconds.filter((second) => second !== undefined);
  const requests = known.reduce((sum, second) => sum + second.requests, 0);
  const timed = known.filter(({ meanLatencyMs }) => meanLatencyMs !== null);
  const timedRequests = timed.reduce((sum, second) => sum + second.requests, 0);
  const total = timed.reduce((sum, second) => sum + (second.meanLatencyMs ?? 0) * second.requests, 0);
  const slowest = known.flatMap(({ p99LatencyMs }) => p99LatencyMs ?? []);
  return {
    requestsPerSecond: requests / seconds.length,
    failedShare: failedShare(known),
    meanLatencyMs: timedRequests === 0 ? undefined : total / timedRequests,
    p99LatencyMs: slowest.length === 0 ? undefined : Math.max(...slowest),
  };
}
