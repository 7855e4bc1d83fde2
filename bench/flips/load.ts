/** What the process that sends the load is told, and what it answers. */

/** How long a backend works on a write, milliseconds. */
export const WRITE_MS = 5;

/** The header that says whose request it is. */
export const USER_HEADER = 'x-user-id';

export interface LoadSettings {
  /** Of the gateways; they take turns. */
  readonly ports: readonly number[];
  /** Requests a second over all gateways, half of them writes, sent whether or not earlier ones were answered. */
  readonly rate: number;
  /** `u1` to this one. */
  readonly users: number;
}

export interface LoadResult {
  /** By write: when it was sent, by the clock of `monotonicMs`, and how long it took. */
  readonly writes: readonly { readonly sentMs: number; readonly tookMs: number }[];
  /** How long each read took, milliseconds. */
  readonly readsMs: readonly number[];
  /** Answers of the two backends. */
  readonly owners: { readonly legacy: number; readonly new: number };
  readonly failed: number;
  /** What some of the failures were. */
  readonly failures: readonly string[];
}

/** @throws Error for what is no result */
export function parseLoadResult(text: string): LoadResult {
  const result: LoadResult = JSON.parse(text);
  if (!Array.isArray(result.writes) || typeof result.failed !== 'number') {
    throw new Error('the load ended without a result');
  }
  return result;
}
