/** Whether a change of a cohort moves anybody's truth, worked out for all users at once. */
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Cohort } from '../model.ts';
import { RAMP_BUCKETS, STAGES } from '../model.ts';

interface OnNew {
  readonly who: 'nobody' | 'everybody' | 'buckets' | 'first';
  /** Buckets or members, of a part. */
  readonly count: number;
  readonly salt: string;
  /** Only those whose own data was moved. */
  readonly moved: boolean;
}

/**
 * The users of the cohort whose data is in `new`. Whoever is inside the ramp has the stage, the rest the stage before
 * it; a user whose own data has to move first stays on `legacy`.
 */
function onNew({ stage, ramp, salt, migration }: Cohort): OnNew {
  const inside = STAGE_TABLE[stage];
  const outside = STAGE_TABLE[inside.before];
  const part = (who: OnNew['who'], count = 0): OnNew => ({
    who,
    count,
    salt: who === 'buckets' ? salt : '',
    moved: who !== 'nobody' && migration === 'per-user',
  });
  if (inside.target === 'legacy') return part('nobody');
  if (outside.target === 'new') return part('everybody');
  if (ramp.kind === 'count') return ramp.count <= 0 ? part('nobody') : part('first', ramp.count);
  if (ramp.buckets <= 0) return part('nobody');
  return ramp.buckets >= RAMP_BUCKETS ? part('everybody') : part('buckets', ramp.buckets);
}

/** The same as a text that is equal for equal sets; `nobody` and `everybody` for those. */
export function ownedByNew(cohort: Cohort): string {
  const { who, count, salt, moved } = onNew(cohort);
  const part = who === 'buckets' || who === 'first' ? `${who} ${count} ${salt}` : who;
  return moved ? `${part} whose data was moved` : part;
}

/** Whether somebody's data may be in `new` before and is not after. */
export function mayGoBack(before: Cohort, after: Cohort): boolean {
  const [from, to] = [onNew(before), onNew(after)];
  if (from.who === 'nobody') return false;
  if (to.moved && !from.moved) return true;
  if (to.who === 'everybody') return false;
  return from.who !== to.who || from.salt !== to.salt || from.count > to.count;
}

/**
 * Whether the owner of any user's data may differ between the two definitions of one cohort. Exact but for ramps
 * by count, whose cohort may have fewer members than both counts: then it says yes where nobody moves.
 */
export function movesTruth(before: Cohort, after: Cohort): boolean {
  return ownedByNew(before) !== ownedByNew(after);
}

/**
 * Whether the change leaves a stage in which gateways that lost the map go on serving writes: then every
 * registered one has to agree, also one that is gone for long.
 */
export function needsEveryGateway(before: Cohort, after: Cohort): boolean {
  const unfenced = before.stage === 'off' || before.stage === 'complete';
  return unfenced && (after.stage !== before.stage || movesTruth(before, after));
}

/**
 * Whether the change may bring somebody to `new`, or takes the cohort further on its way there. Not a smaller ramp, and
 * no way back.
 */
export function goesOn(before: Cohort, after: Cohort): boolean {
  const [from, to] = [onNew(before), onNew(after)];
  const steps = STAGES.indexOf(after.stage) - STAGES.indexOf(before.stage);
  if (STAGE_TABLE[after.stage].target === 'new' && steps > 0) return true;
  if (to.who === 'nobody' || ownedByNew(before) === ownedByNew(after)) return false;
  if (from.moved && !to.moved) return true;
  const isSmaller = from.who === to.who && from.salt === to.salt && from.count >= to.count;
  return !(from.who === 'everybody' || isSmaller);
}
