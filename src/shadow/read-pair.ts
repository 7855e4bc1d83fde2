/** From the outcome of a read to what the comparison takes, and to what of it counts as a difference. */
import type { Comparison } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';
import type { ReadOutcome } from '../upstream/read-answer.ts';
import type { ShadowVerdict } from './report-sink.ts';

/** An outcome that is something to compare with. */
export type Observed = Exclude<ReadOutcome, { readonly kind: 'skipped' }>;

/** Its bytes are good until the outcome's body is released. */
export function observationOf(outcome: Observed): Observation {
  if (outcome.kind === 'failed') {
    return Object.freeze({
      status: 0,
      headers: Object.freeze([]),
      body: undefined,
      bodyTruncated: false,
      failure: Object.freeze({ kind: outcome.failure, code: outcome.code }),
    });
  }
  return Object.freeze({
    status: outcome.status,
    headers: Object.freeze(outcome.headers),
    body: outcome.body.whole(),
    bodyTruncated: false,
    durationMs: outcome.durationMs,
  });
}

/** Gives the place of the answer's body to others, if there is one. */
export function releaseOutcome(outcome: ReadOutcome): void {
  if (outcome.kind === 'answered') outcome.body.release();
}

/** `undefined`: not over yet, a difference is to be confirmed. */
export type FirstVerdict = Extract<ShadowVerdict, 'matched'> | 'not_comparable' | undefined;

export function firstVerdict({ verdict }: Comparison): FirstVerdict {
  switch (verdict) {
    case 'matched':
    case 'ignored':
      return 'matched';
    case 'uncompared':
      return 'not_comparable';
    case 'mismatched':
      return undefined;
    default:
      return verdict satisfies never;
  }
}
