/** Rules on trial: what they would do to the samples that are stored, before they are saved. */
import { type CompareOptions, compare } from '../comparison/compare.ts';
import type { CompiledRules } from '../comparison/compile-rules.ts';
import type { Difference } from '../comparison/difference.ts';
import { fromLegacy } from '../comparison/from-legacy.ts';
import type { RulesWritten } from '../comparison/rules-written.ts';
import { signatureOf } from '../comparison/signature.ts';
import { groupIdOf } from './gathered-groups.ts';
import { isRedacted } from './redaction.ts';
import type { Sample } from './sample.ts';
import { observationOf } from './stored-answer.ts';

/**
 * `gone`: the difference is there under the rules of now and not under those on trial. `stays`: under both.
 * `unknown`: the stored sample does not show it, because what differs was hidden or left out when it was stored.
 */
export type TrialOfSample = 'gone' | 'stays' | 'unknown';

export interface TrialOfGroup {
  readonly group: string;
  readonly samples: Readonly<Record<TrialOfSample, number>>;
  /** `partly`: it is gone from some samples. */
  readonly verdict: TrialOfSample | 'partly';
}

/** A difference that the rules of now cover and those on trial do not. */
export interface NewDifference {
  readonly pattern: string;
  readonly kind: Difference['kind'];
  readonly samples: number;
}

export interface RulesTrial {
  readonly groups: readonly TrialOfGroup[];
  readonly appear: readonly NewDifference[];
  /** Samples that were looked at. */
  readonly samples: number;
}

export interface TriedSample {
  /** The id of the group it was taken for. */
  readonly group: string;
  readonly sample: Sample;
}

export interface RulesOnTrial {
  readonly written: RulesWritten;
  readonly compiled: CompiledRules;
}

/**
 * Compares every sample under both. Gives the event loop its turn after each.
 * @param now the rules that are in force
 */
export async function tryRules(
  samples: readonly TriedSample[],
  now: CompiledRules,
  trial: RulesOnTrial,
): Promise<RulesTrial> {
  const groups = new Map<string, Record<TrialOfSample, number>>();
  const appear = new Map<string, { pattern: string; kind: Difference['kind']; samples: number }>();
  for (const { group, sample } of samples) {
    const counts = groups.get(group) ?? { gone: 0, stays: 0, unknown: 0 };
    groups.set(group, counts);
    const [before, after] = [differencesOf(sample, now), differencesOf(sample, trial.compiled)];
    counts[trialOf(group, before, after, trial.written)] += 1;
    for (const [signature, { pattern, kind }] of after ?? []) {
      if (before?.has(signature) !== false) continue;
      const known = appear.get(signature) ?? { pattern, kind, samples: 0 };
      known.samples += 1;
      appear.set(signature, known);
    }
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  return {
    groups: [...groups].map(([group, counts]) => ({ group, samples: counts, verdict: verdictOf(counts) })),
    appear: [...appear.values()].sort((a, b) => b.samples - a.samples),
    samples: samples.length,
  };
}

/** By signature; `undefined` where a body was left out of the sample. */
function differencesOf(sample: Sample, rules: CompiledRules): ReadonlyMap<string, Difference> | undefined {
  const left = observationOf(sample.answers.authoritative);
  const right = observationOf(sample.answers.secondary);
  if (left === undefined || right === undefined) return undefined;
  const options: CompareOptions = { authoritative: sample.authoritative };
  const { differences } = compare(left, right, rules, options);
  return new Map(
    differences.map((found) => {
      const difference = fromLegacy(found, sample.authoritative);
      return [signatureOf(sample.route, difference), difference];
    }),
  );
}

function trialOf(
  group: string,
  before: ReadonlyMap<string, Difference> | undefined,
  after: ReadonlyMap<string, Difference> | undefined,
  { tolerance, comparators }: RulesWritten,
): TrialOfSample {
  const of = (differences: ReadonlyMap<string, Difference> | undefined) =>
    [...(differences ?? [])].find(([signature]) => groupIdOf(signature) === group)?.[1];
  if (of(before) === undefined) return 'unknown';
  const rest = of(after);
  if (rest === undefined) return 'gone';
  // Equal and unequal is all that a hash tells: how near two values are it does not.
  const needsValues = tolerance !== undefined || comparators !== undefined;
  const isHidden = isRedacted(rest.left.value) || isRedacted(rest.right.value);
  return needsValues && isHidden ? 'unknown' : 'stays';
}

function verdictOf({
  gone,
  stays,
  unknown,
}: Readonly<Record<TrialOfSample, number>>): TrialOfGroup['verdict'] {
  if (gone > 0 && stays > 0) return 'partly';
  if (stays > 0) return 'stays';
  return gone > 0 && unknown === 0 ? 'gone' : gone > 0 ? 'partly' : 'unknown';
}
