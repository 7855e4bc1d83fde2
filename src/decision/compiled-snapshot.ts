/**
 * What `decide` can know of a snapshot before any request comes: worked out once for a snapshot, then shared
 * by every decision under it. A snapshot never changes, so the result is as good as a part of it.
 */
import type { Attributes, Backend, Cohort, Hold, Reason, Snapshot, User, UserState } from '../model.ts';
import { bucketOf, isFull, rampSeed } from './ramp.ts';
import { matchesRule } from './rule.ts';
import type { StageRow } from './stages.ts';
import { STAGE_TABLE } from './stages.ts';

export interface CompiledCohort {
  readonly cohort: Cohort;
  readonly name: string;
  readonly hold: Hold | undefined;
  readonly inside: StageRow;
  readonly outside: StageRow;
  /** The ramp makes no difference: it admits everybody, or the stage has none before it. */
  readonly whole: boolean;
  readonly seed: number;
  readonly byExplicitMembership: Reason;
  readonly byRuleMembership: Reason;
  readonly byRule: Reason;
  readonly byDefault: Reason;
  readonly atStage: Reason;
}

/**
 * Whether a user without a membership has to be recorded as a member when a rule or the default places it:
 * only if the user, with other attributes, could fall into a cohort whose truth lies elsewhere.
 * `by-user`: it depends on the user's ramp bucket or state.
 */
export type Placement = 'never' | 'always' | 'by-user';

export interface CompiledSnapshot {
  readonly byName: ReadonlyMap<string, CompiledCohort>;
  /** The cohorts that have a rule, in the order in which the rules are tried. */
  readonly ruled: readonly CompiledCohort[];
  readonly fallback: CompiledCohort | undefined;
  readonly placement: Placement;
}

const compiledBySnapshot = new WeakMap<Snapshot, CompiledSnapshot>();

/** The compiled form of a snapshot; the first call for a snapshot works it out. */
export function compiledOf(snapshot: Snapshot): CompiledSnapshot {
  const known = compiledBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const compiled = compile(snapshot);
  compiledBySnapshot.set(snapshot, compiled);
  return compiled;
}

function compile(snapshot: Snapshot): CompiledSnapshot {
  const byName = new Map<string, CompiledCohort>();
  for (const [name, cohort] of snapshot.cohortByName) {
    byName.set(name, compileCohort(cohort, snapshot.cohortHolds.get(name)));
  }
  const compiledCohort = (cohort: Cohort): CompiledCohort =>
    byName.get(cohort.name) ?? compileCohort(cohort, snapshot.cohortHolds.get(cohort.name));
  const ruled = snapshot.cohorts.filter((cohort) => cohort.rule !== undefined).map(compiledCohort);
  const fallback = snapshot.defaultCohort === undefined ? undefined : compiledCohort(snapshot.defaultCohort);
  return { byName, ruled, fallback, placement: placementOf(ruled, fallback) };
}

function compileCohort(cohort: Cohort, hold: Hold | undefined): CompiledCohort {
  const name = cohort.name;
  const inside = STAGE_TABLE[cohort.stage];
  return {
    cohort,
    name,
    hold,
    inside,
    outside: STAGE_TABLE[inside.before],
    whole: isFull(cohort.ramp) || inside.before === cohort.stage,
    seed: rampSeed(cohort.salt),
    byExplicitMembership: Object.freeze({ code: 'cohort-member', cohort: name, by: 'explicit' }),
    byRuleMembership: Object.freeze({ code: 'cohort-member', cohort: name, by: 'rule' }),
    byRule: Object.freeze({ code: 'cohort-rule', cohort: name }),
    byDefault: Object.freeze({ code: 'cohort-default', cohort: name }),
    atStage: Object.freeze({ code: 'stage', cohort: name, stage: cohort.stage }),
  };
}

function placementOf(ruled: readonly CompiledCohort[], fallback: CompiledCohort | undefined): Placement {
  if (ruled.length === 0) return 'never';
  // The truth of a held cohort is about to differ. Whoever could fall into it by attributes gets a membership now,
  // before anything is sent for them: else a write of theirs that is not held could run beside one that was.
  if (fallback?.hold !== undefined || ruled.some(({ hold }) => hold !== undefined)) return 'always';
  // Without a default cohort a user whom no rule matches belongs to none, and its truth is legacy.
  let certain: Backend | undefined = fallback === undefined ? 'legacy' : certainTruth(fallback);
  let dependsOnUser = fallback !== undefined && certain === undefined;
  for (const candidate of ruled) {
    const truth = certainTruth(candidate);
    if (truth === undefined) dependsOnUser = true;
    else if (certain === undefined) certain = truth;
    else if (certain !== truth) return 'always';
  }
  return dependsOnUser ? 'by-user' : 'never';
}

/** The truth that every user has whom a rule or the default puts into the cohort; `undefined`: it depends. */
function certainTruth(candidate: CompiledCohort): Backend | undefined {
  const { cohort, inside, outside } = candidate;
  if (cohort.migration === 'per-user') {
    return inside.target === 'legacy' && outside.target === 'legacy' ? 'legacy' : undefined;
  }
  if (inside.target === outside.target || candidate.whole) return inside.target;
  // A ramp by count admits explicit members only.
  if (cohort.ramp.kind === 'count' || cohort.ramp.buckets <= 0) return outside.target;
  return undefined;
}

/** Whether to record a user that has no membership as a member of the cohort it was just placed in. */
export function hasToBePlaced(
  compiled: CompiledSnapshot,
  stickyKey: string,
  state: UserState | undefined,
): boolean {
  switch (compiled.placement) {
    case 'never':
      return false;
    case 'always':
      return true;
    case 'by-user': {
      const { fallback, ruled } = compiled;
      const first = fallback === undefined ? 'legacy' : truthWithoutMembership(fallback, stickyKey, state);
      for (const candidate of ruled) {
        if (truthWithoutMembership(candidate, stickyKey, state) !== first) return true;
      }
      return false;
    }
    default:
      compiled.placement satisfies never;
      return true;
  }
}

function truthWithoutMembership(
  candidate: CompiledCohort,
  stickyKey: string,
  state: UserState | undefined,
): Backend {
  const { cohort, inside, outside } = candidate;
  if (cohort.migration === 'per-user' && state !== 'migrated') return 'legacy';
  if (inside.target === outside.target || candidate.whole) return inside.target;
  if (cohort.ramp.kind === 'count') return outside.target;
  return bucketOf(candidate.seed, stickyKey) < cohort.ramp.buckets ? inside.target : outside.target;
}

/** The first cohort whose rule the attributes meet. */
export function cohortByRule(compiled: CompiledSnapshot, attributes: Attributes): CompiledCohort | undefined {
  for (const candidate of compiled.ruled) {
    const rule = candidate.cohort.rule;
    if (rule !== undefined && matchesRule(rule, attributes)) return candidate;
  }
  return undefined;
}

/** The hold set on one user, if there is one. */
export function userHoldOf(snapshot: Snapshot, user: User): Hold | undefined {
  return snapshot.userHolds.size === 0 ? undefined : snapshot.userHolds.get(user);
}
