/**
 * What one backend answered, as it was seen on the wire. Two of these go into a comparison.
 */

/** Why there is no answer. */
export interface ObservedFailure {
  readonly kind: 'timeout' | 'error';
  /** A code of the table of errors, or the backend's own; short, without values of the request. */
  readonly code: string;
}

/** Frozen once it was made: a comparison never changes what was observed. */
export interface Observation {
  /** 100 to 599; 0 where `failure` says why there is none. */
  readonly status: number;
  /** Names and values in turn, in the order of the wire, as node's `rawHeaders` has them. */
  readonly headers: readonly string[];
  /** As received, content encoding included; `undefined` where it was not kept. An empty body is an empty buffer. */
  readonly body: Buffer | undefined;
  /** The body is longer than what was kept. */
  readonly bodyTruncated: boolean;
  readonly durationMs?: number;
  readonly failure?: ObservedFailure;
}

/** @returns the values of that header, trimmed, in the order of the wire. @param name in lower case */
export function headerValues(observation: Observation, name: string): readonly string[] {
  const { headers } = observation;
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const found = headers[index];
    if (found?.length === name.length && found.toLowerCase() === name) {
      values.push((headers[index + 1] ?? '').trim());
    }
  }
  return values;
}
