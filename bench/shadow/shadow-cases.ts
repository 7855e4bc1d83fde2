/** What the secondary is in each case, and what is said between the processes. */

export const CASES = ['off', 'healthy', 'slow', 'dead', 'large'] as const;
export type Case = (typeof CASES)[number];

export const TITLES: { readonly [C in Case]: string } = {
  off: 'shadow off, as the other gateway',
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
  /** Of the gateways that are asked at the same time, one request each in turn. */
  readonly ports: readonly number[];
  /** Requests a second to each of them, sent whether or not earlier ones were answered. */
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

/** @returns in the order of the ports. @throws Error for what is no result */
export function parsePacedResults(text: string): readonly PacedResult[] {
  const results: readonly PacedResult[] = JSON.parse(text);
  if (typeof results[0]?.answers !== 'number') throw new Error('the load ended without a result');
  return results;
}
