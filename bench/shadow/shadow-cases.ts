/** What the secondary is in each case, and what is said between the processes. */

export const CASES = ['off', 'healthy', 'slow', 'dead', 'large'] as const;
export type Case = (typeof CASES)[number];

export const TITLES: { readonly [C in Case]: string } = {
  off: 'shadow off',
  healthy: 'healthy, the same answers in other bytes',
  slow: 'answers after 5 s',
  dead: 'refuses connections',
  large: 'answers 10 MB',
};

/** The secondaries that listen, in the order of the ports of `secondary-process.ts`; the first port is legacy's. */
export const LISTENING = ['healthy', 'slow', 'large'] as const satisfies readonly Case[];

export const SLOW_MS = 5_000;
export const LARGE_BYTES = 10_000_000;

export interface PacedLoad {
  readonly port: number;
  /** Requests a second, sent whether or not earlier ones were answered. */
  readonly rate: number;
  readonly seconds: number;
}

export interface PacedResult {
  readonly answers: number;
  readonly errors: number;
  /** From when a request was due, not from when it was sent. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @throws Error for what is no result */
export function parsePacedResult(text: string): PacedResult {
  const result: PacedResult = JSON.parse(text);
  if (typeof result.answers !== 'number') throw new Error('the load ended without a result');
  return result;
}
