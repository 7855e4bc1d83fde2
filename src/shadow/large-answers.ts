/**
 * Leaves a backend's answers on a route alone for a while when one after the other was over the bound on bodies: each of them
 * costs both sides a connection, which is the only way to end a body early, and up to the bound in transfer, for nothing.
 *
 * For each route and backend: asked → (so many in a row are too large) resting → (the pause is over) one at a time → asked
 * when one fits, resting for twice as long when it does not.
 */
import type { Backend } from '../model.ts';

/** A route with now and then a large answer is not left alone. */
const IN_A_ROW = 5;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MAX_MS = 60_000;
/** A read that was let through, and of which nothing was heard, does not keep the next one for longer. */
const LET_THROUGH_MS = 1_000;

interface State {
  /** Too large ones, since the last that fitted. */
  inARow: number;
  /** Of the last pause, milliseconds; 0 before the first. */
  pauseMs: number;
  untilMs: number;
  /** One was let through after the pause, and nothing was heard of it yet. */
  isProbing: boolean;
}

export class LargeAnswers {
  /** Only where the last answer was too large: at most two for each route. */
  readonly #states = new Map<string, State>();
  readonly #now: () => number;

  /** @param now a monotonic clock, milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether nothing is asked there now. */
  isResting(route: string, backend: Backend): boolean {
    const state = this.#states.get(keyOf(route, backend));
    return state !== undefined && this.#now() < state.untilMs;
  }

  /** For one that is about to be sent. @returns false where nothing is asked now; after a pause true for one at a time */
  lets(route: string, backend: Backend): boolean {
    const state = this.#states.get(keyOf(route, backend));
    if (state === undefined || state.pauseMs === 0) return true;
    const nowMs = this.#now();
    if (nowMs < state.untilMs) return false;
    state.isProbing = true;
    state.untilMs = nowMs + LET_THROUGH_MS;
    return true;
  }

  tooLarge(route: string, backend: Backend): void {
    const key = keyOf(route, backend);
    const state = this.#states.get(key) ?? { inARow: 0, pauseMs: 0, untilMs: 0, isProbing: false };
    this.#states.set(key, state);
    state.inARow += 1;
    // Those that were under way when the pause began say nothing new.
    const isNews = state.pauseMs === 0 ? state.inARow >= IN_A_ROW : state.isProbing;
    if (!isNews) return;
    state.isProbing = false;
    state.pauseMs = state.pauseMs === 0 ? PAUSE_FIRST_MS : Math.min(PAUSE_MAX_MS, 2 * state.pauseMs);
    state.untilMs = this.#now() + state.pauseMs;
  }

  fits(route: string, backend: Backend): void {
    this.#states.delete(keyOf(route, backend));
  }

  /** The bound may be another one. */
  forget(): void {
    this.#states.clear();
  }
}

function keyOf(route: string, backend: Backend): string {
  return `${backend} ${route}`;
}
