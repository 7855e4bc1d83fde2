/** Whether a group is fixed: its samples' reads are asked again, and where that cannot be done, the next reads answer. */
import type { CompiledRules } from '../comparison/compile-rules.ts';
import type { ReplayOutcome, ReplaysReads } from '../shadow/read-replay.ts';
import type { ShadowRequest } from '../shadow/report-sink.ts';
import { groupsOf } from './gathered-groups.ts';
import { isRedacted } from './redaction.ts';
import type { StoredSample, Watch } from './report-store.ts';
import { isSameSituation } from './same-situation.ts';
import type { StoredRequest } from './sample.ts';
import { ruleOfThree, wilson } from './statistics.ts';

export type SampleVerdict =
  | { readonly verdict: 'gone' | 'still_there' }
  | { readonly verdict: 'unknown'; readonly why: UnknownWhy };

/**
 * `request_changed`: what was stored is not the whole request. `other_answer`: the side that served the user does not
 * show what it showed then: 401 for want of credentials, another user's data, or data that has changed. `not_comparable`: nothing can be said of the two answers.
 */
export type UnknownWhy =
  | 'method'
  | 'credential_in_query'
  | 'request_changed'
  | 'other_answer'
  | 'not_comparable'
  | 'skipped'
  | 'no_replay';

export interface VerifiedSample {
  readonly target: string;
  readonly at: number;
  readonly outcome: SampleVerdict;
}

export type WatchVerdict =
  | { readonly verdict: 'still_there'; readonly seen: number }
  /** `upper`: with 95 % confidence the difference is now in less than this share of reads. */
  | { readonly verdict: 'fixed'; readonly upper: number }
  /** `needed`: so many reads without the difference, all together, would tell. */
  | { readonly verdict: 'waiting'; readonly upper: number; readonly needed: number };

export interface Verification {
  /** `waiting`: the samples cannot tell; compared reads will. */
  readonly verdict: 'fixed' | 'still_there' | 'waiting';
  readonly samples: readonly VerifiedSample[];
  readonly watch: (Watch & { readonly outcome: WatchVerdict }) | undefined;
}

/**
 * Asks for one sample's read again on both sides. Never rejects.
 * @param replay `undefined` where nobody can ask
 */
export async function verifySample(
  stored: StoredSample,
  signature: string,
  replay: ReplaysReads | undefined,
  rules: CompiledRules,
): Promise<VerifiedSample> {
  const { sample, at } = stored;
  const told = (outcome: SampleVerdict): VerifiedSample => ({ target: sample.request.target, at, outcome });
  if (replay === undefined) return told({ verdict: 'unknown', why: 'no_replay' });
  const { changed } = sample.request;
  if (changed === 'body') return told({ verdict: 'unknown', why: 'method' });
  if (changed === 'target') return told({ verdict: 'unknown', why: 'request_changed' });
  const outcome = await replay.replay(withoutHashes(sample.request), sample.authoritative, rules);
  return told(judgeReplay(outcome, stored, signature));
}

/** A hash in place of a value is no value. */
function withoutHashes({ method, target, headers }: StoredRequest): ShadowRequest {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = '', value = ''] = [headers[index], headers[index + 1]];
    if (!isRedacted(value)) kept.push(name, value);
  }
  return { method, target, headers: kept };
}

function judgeReplay(outcome: ReplayOutcome, { sample }: StoredSample, signature: string): SampleVerdict {
  switch (outcome.kind) {
    case 'impossible':
      return { verdict: 'unknown', why: outcome.why };
    case 'skipped':
      return { verdict: 'unknown', why: 'skipped' };
    case 'compared': {
      const { comparison, answers } = outcome;
      if (groupsOf(sample.route, comparison, sample.authoritative).has(signature))
        return { verdict: 'still_there' };
      const [difference] = sample.differences;
      const { authoritative } = answers;
      const isSame =
        difference !== undefined &&
        isSameSituation(difference, authoritative, sample.answers.authoritative.status);
      if (!isSame) return { verdict: 'unknown', why: 'other_answer' };
      const isWhole = comparison.uncompared === undefined && !comparison.truncated;
      return isWhole ? { verdict: 'gone' } : { verdict: 'unknown', why: 'not_comparable' };
    }
    default:
      return outcome satisfies never;
  }
}

/**
 * What a watch has found. After n reads without the difference its share is below 3/n with 95 % confidence; that it is
 * fixed is said when this is below what the share was for sure before.
 * @param before the reads of the group, and all compared ones, until the watch began
 */
export function judgeWatch(
  { reads, seen }: Pick<Watch, 'reads' | 'seen'>,
  before: { readonly raw: number; readonly compared: number },
): WatchVerdict {
  if (seen > 0) return { verdict: 'still_there', seen };
  const upper = ruleOfThree(reads);
  const low = wilson(before.raw, before.compared).low;
  if (reads > 0 && upper < low) return { verdict: 'fixed', upper };
  return { verdict: 'waiting', upper, needed: low > 0 ? Math.floor(3 / low) + 1 : Number.MAX_SAFE_INTEGER };
}

/** What was asked just now outweighs what was seen since the watch began; one that is still there, all that are gone. */
export function concludeVerification(
  samples: readonly VerifiedSample[],
  watch: Verification['watch'],
): Verification['verdict'] {
  const has = (verdict: SampleVerdict['verdict']) =>
    samples.some(({ outcome }) => outcome.verdict === verdict);
  if (has('still_there')) return 'still_there';
  if (has('gone') && !has('unknown')) return 'fixed';
  return watch?.outcome.verdict ?? 'waiting';
}
