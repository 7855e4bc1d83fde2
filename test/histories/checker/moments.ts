/** When changes were made, in the measure of what was seen of one user: two between which nothing was seen are as one. */
import type { Applied, Change, ReadSent } from './history.ts';

export interface Moment {
  /** When the change was asked for, and when it was over. */
  readonly atMs: number;
  readonly overMs: number;
  /** Equal for changes after which the same may have been done. */
  readonly since: string;
  /** Equal for changes before which the same may have been done. */
  readonly until: string;
  /** How much was over when it was asked for, and how much had begun when it was over. */
  readonly over: number;
  readonly begun: number;
}

/** Before everything, for the change that began the first era. */
const BEGINNING: Moment = { atMs: -Infinity, overMs: -Infinity, since: '', until: '', over: 0, begun: 0 };

/** After everything. */
export const END: Moment = {
  atMs: Infinity,
  overMs: Infinity,
  since: '',
  until: '',
  over: Infinity,
  begun: Infinity,
};

export class Moments {
  readonly #moments = new Map<Change, Moment>();
  readonly #writes: Bounds;
  readonly #reads: Bounds;

  constructor(writes: readonly Applied[], reads: readonly ReadSent[]) {
    this.#writes = boundsOf(writes.map(({ beganMs, appliedMs }) => ({ beganMs, endedMs: appliedMs })));
    this.#reads = boundsOf(reads);
  }

  of(change: Change | undefined): Moment {
    if (change === undefined) return BEGINNING;
    const known = this.#moments.get(change);
    if (known !== undefined) return known;
    const moment = this.#momentOf(change);
    this.#moments.set(change, moment);
    return moment;
  }

  #momentOf({ requestedMs, overMs }: Change): Moment {
    const [writes, reads] = [this.#writes, this.#reads];
    return {
      atMs: requestedMs,
      overMs,
      since: `${below(writes.began, requestedMs)},${below(reads.ended, requestedMs)}`,
      until: `${upTo(writes.ended, overMs)},${upTo(reads.began, overMs)}`,
      over: below(writes.ended, requestedMs) + below(reads.ended, requestedMs),
      begun: upTo(writes.began, overMs) + upTo(reads.began, overMs),
    };
  }
}

/** Both in their own order. */
interface Bounds {
  readonly began: readonly number[];
  readonly ended: readonly number[];
}

function boundsOf(seen: readonly { readonly beganMs: number; readonly endedMs: number }[]): Bounds {
  const sorted = (times: readonly number[]) => times.toSorted((a, b) => a - b);
  return {
    began: sorted(seen.map(({ beganMs }) => beganMs)),
    ended: sorted(seen.map(({ endedMs }) => endedMs)),
  };
}

function below(times: readonly number[], ms: number): number {
  const found = times.findIndex((each) => each >= ms);
  return found === -1 ? times.length : found;
}

function upTo(times: readonly number[], ms: number): number {
  const found = times.findIndex((each) => each > ms);
  return found === -1 ? times.length : found;
}
