/**
 * Where one request goes, and why. The heart of the product: a pure function without I/O, clock or
 * randomness. In this order:
 *
 *   1. the route's fixed backend, if it has one
 *   2. no user: the `anonymous` policy
 *   3. the user's pin
 *   4. the cohort: membership, else the first rule that matches, else the default, else none
 *   5. the cohort's stage and ramp: outside the ramp the stage before applies
 *   6. the user's state, in a cohort that migrates user by user
 *   7. a hold, which only writes feel
 */
import type { Backend, Decision, Facts, Reason, Snapshot, Stage, UserRecord } from '../model.ts';
import type { CompiledCohort } from './compiled-snapshot.ts';
import { cohortByRule, compiledOf, hasToBePlaced, userHoldOf } from './compiled-snapshot.ts';
import { bucketOf } from './ramp.ts';
import { STAGE_TABLE } from './stages.ts';

const BY_ANONYMOUS: { readonly [B in Backend]: Reason } = {
  legacy: Object.freeze({ code: 'anonymous', backend: 'legacy' }),
  new: Object.freeze({ code: 'anonymous', backend: 'new' }),
};
const BY_PIN: { readonly [B in Backend]: Reason } = {
  legacy: Object.freeze({ code: 'pin', backend: 'legacy' }),
  new: Object.freeze({ code: 'pin', backend: 'new' }),
};
const NO_COHORT: Reason = Object.freeze({ code: 'no-cohort' });
const HELD_UNKNOWN: Reason = Object.freeze({ code: 'hold', scope: 'cohort', change: undefined });
const HELD_MIGRATING: Reason = Object.freeze({ code: 'hold', scope: 'migrating', change: undefined });

/**
 * Decides for one request. Never throws; the chain of reasons is never empty. Every decision that holds a
 * write ends with the reason `hold`.
 *
 * @param record the user's record; `ABSENT_RECORD` for a user unknown to the map, and where there is no user
 * @param anonymous the backend of requests without a user
 */
export function decide(facts: Facts, snapshot: Snapshot, record: UserRecord, anonymous: Backend): Decision {
  const { route, user } = facts;
  if (route.backend !== undefined) {
    return settled(route.backend, { code: 'route-backend', route: route.name, backend: route.backend });
  }
  if (user === undefined) return settled(anonymous, BY_ANONYMOUS[anonymous]);

  const membership = record.membership;
  const compiled = compiledOf(snapshot);
  if (membership !== undefined) {
    const member = compiled.byName.get(membership.cohort);
    if (member === undefined) return withoutCohort(facts, user, snapshot, record, membership.cohort);
    const how = membership.by === 'explicit' ? member.byExplicitMembership : member.byRuleMembership;
    return inCohort(facts, user, snapshot, record, member, how, undefined);
  }

  const matched = cohortByRule(compiled, facts.attributes);
  const cohort = matched ?? compiled.fallback;
  if (cohort === undefined) return withoutCohort(facts, user, snapshot, record, undefined);
  // A pinned user has one truth whatever the cohort, so that there is nothing to record.
  const place =
    record.pin === undefined && hasToBePlaced(compiled, facts.stickyKey ?? user, record.state)
      ? cohort.name
      : undefined;
  const how = matched === undefined ? cohort.byDefault : cohort.byRule;
  return inCohort(facts, user, snapshot, record, cohort, how, place);
}

/** Steps 1 and 2: nothing about a user matters. */
function settled(target: Backend, reason: Reason): Decision {
  return {
    target,
    shadow: undefined,
    mirror: undefined,
    held: false,
    ownerUnknown: false,
    cohort: undefined,
    stage: undefined,
    place: undefined,
    reasons: [reason],
  };
}

/**
 * A user of no cohort is served by legacy: nothing has moved it.
 *
 * That is not so for a user whose membership names a cohort that the snapshot does not have (`unknown`). Its
 * data may be in either backend: the cohort may have been `live` when it vanished, or may be so new that this
 * gateway has yet to apply its creation. To go on with the rules, or with legacy, would be a guess that can
 * lose a write. So, unless a pin says where the data is, the write is held (and decided anew when the
 * snapshot changes), and the read is marked to be refused.
 */
function withoutCohort(
  facts: Facts,
  user: string,
  snapshot: Snapshot,
  record: UserRecord,
  unknown: string | undefined,
): Decision {
  const pin = record.pin;
  const reasons: Reason[] = pin === undefined ? [] : [BY_PIN[pin]];
  reasons.push(unknown === undefined ? NO_COHORT : { code: 'cohort-unknown', cohort: unknown });
  const ownerUnknown = unknown !== undefined && pin === undefined;
  let hold: Reason | undefined;
  if (facts.class === 'write') {
    const userHold = userHoldOf(snapshot, user);
    if (userHold !== undefined) hold = { code: 'hold', scope: 'user', change: userHold.change };
    else if (ownerUnknown) hold = HELD_UNKNOWN;
  }
  if (hold !== undefined) reasons.push(hold);
  return {
    target: pin ?? 'legacy',
    shadow: undefined,
    mirror: undefined,
    held: hold !== undefined,
    ownerUnknown,
    cohort: undefined,
    stage: undefined,
    place: undefined,
    reasons,
  };
}

/** Steps 5 to 7, and what a pin leaves of them. */
function inCohort(
  facts: Facts,
  user: string,
  snapshot: Snapshot,
  record: UserRecord,
  found: CompiledCohort,
  how: Reason,
  place: string | undefined,
): Decision {
  const { cohort } = found;
  const ramp = found.whole ? undefined : rampReason(found, facts.stickyKey ?? user, record);
  let stage: Stage = ramp === undefined ? cohort.stage : ramp.stage;
  let state: Reason | undefined;
  if (cohort.migration === 'per-user') {
    if (record.state !== 'migrated') stage = 'off';
    state = { code: 'user-state', state: record.state, stage };
  }

  const row = STAGE_TABLE[stage];
  const pin = record.pin;
  const target = pin ?? row.target;
  // A pin against the stage turns the secondary into a system whose copy nobody keeps right: no comparison
  // with it means anything. A pin that agrees changes nothing, and the copies go on.
  const copies = target === row.target;
  const isRead = facts.class === 'read';
  const hold = isRead ? undefined : holdReason(found, user, snapshot, record);
  return {
    target,
    shadow: copies && isRead && facts.route.shadow ? row.shadow : undefined,
    mirror: copies && !isRead && cohort.mirror && facts.route.mirror ? row.mirror : undefined,
    held: hold !== undefined,
    ownerUnknown: false,
    cohort: found.name,
    stage,
    place,
    reasons: chain(pin, how, found.atStage, ramp, state, hold),
  };
}

type RampReason = Extract<Reason, { code: 'ramp-bucket' | 'ramp-count' }>;

function rampReason(found: CompiledCohort, stickyKey: string, record: UserRecord): RampReason {
  const { stage, ramp } = found.cohort;
  if (ramp.kind === 'count') {
    const ordinal = record.membership?.ordinal;
    const inside = ordinal !== undefined && ordinal < ramp.count;
    return {
      code: 'ramp-count',
      inside,
      ordinal,
      count: ramp.count,
      stage: inside ? stage : found.inside.before,
    };
  }
  const bucket = bucketOf(found.seed, stickyKey);
  const inside = bucket < ramp.buckets;
  return {
    code: 'ramp-bucket',
    inside,
    bucket,
    buckets: ramp.buckets,
    stage: inside ? stage : found.inside.before,
  };
}

function holdReason(
  found: CompiledCohort,
  user: string,
  snapshot: Snapshot,
  record: UserRecord,
): Reason | undefined {
  if (found.hold !== undefined) return { code: 'hold', scope: 'cohort', change: found.hold.change };
  const userHold = userHoldOf(snapshot, user);
  if (userHold !== undefined) return { code: 'hold', scope: 'user', change: userHold.change };
  // Also for a pinned user: the pin says where the data is to be, the state that it is still being moved.
  if (found.cohort.migration === 'per-user' && record.state === 'migrating') return HELD_MIGRATING;
  return undefined;
}

/** The chain in order. The two usual ones are literals: an array that grows by `push` reserves room for 16. */
function chain(
  pin: Backend | undefined,
  how: Reason,
  atStage: Reason,
  ramp: Reason | undefined,
  state: Reason | undefined,
  hold: Reason | undefined,
): readonly Reason[] {
  if (pin === undefined && state === undefined && hold === undefined) {
    return ramp === undefined ? [how, atStage] : [how, atStage, ramp];
  }
  const reasons = pin === undefined ? [how, atStage] : [BY_PIN[pin], how, atStage];
  if (ramp !== undefined) reasons.push(ramp);
  if (state !== undefined) reasons.push(state);
  if (hold !== undefined) reasons.push(hold);
  return reasons;
}
