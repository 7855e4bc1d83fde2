/** How `new` fails in this benchmark, and what its processes say to each other. */

export const FAULTS = ['refused', 'hanging', '100 % 5xx', '20 % 5xx', '8 % 5xx', 'latency × 3'] as const;
export type Fault = (typeof FAULTS)[number];

/** What both backends take for a request when nothing fails, milliseconds. */
export const SERVICE_MS = 20;

/** Of the requests to `new`. */
export function failingShare(fault: Fault | undefined): number {
  switch (fault) {
    case '100 % 5xx':
      return 1;
    case '20 % 5xx':
      return 0.2;
    case '8 % 5xx':
      return 0.08;
    case 'refused':
    case 'hanging':
    case 'latency × 3':
    case undefined:
      return 0;
    default: {
      const unknown: never = fault;
      throw new Error(`unknown fault ${String(unknown)}`);
    }
  }
}

/** To the backends: how `new` fails from now on, `null` for not at all. Answered with the same when it is in force. */
export interface FaultMessage {
  readonly fault: Fault | null;
}

export interface TripLoadSettings {
  /** Of the gateways, which take turns. */
  readonly ports: readonly number[];
  /** Requests a second. */
  readonly rate: number;
  /** Of users who only read: `r1` to this one. */
  readonly readers: number;
  /** Of users who only write. One request in twenty is theirs. */
  readonly writers: number;
  /** Their names begin so: those of a run before were left in `new`, pinned. */
  readonly writersName: string;
}

export interface TripLoadResult {
  readonly reads: number;
  /** Reads that clients saw fail; none are retried. */
  readonly failedReads: number;
  readonly writes: number;
  readonly failedWrites: number;
  /** The slowest read, milliseconds. */
  readonly slowestReadMs: number;
  /** What some of the failures were. */
  readonly failures: readonly string[];
}

/** @throws Error for what is no result */
export function parseTripLoad(text: string): TripLoadResult {
  const result: TripLoadResult = JSON.parse(text);
  if (typeof result.failedReads !== 'number') throw new Error('the load ended without a result');
  return result;
}
