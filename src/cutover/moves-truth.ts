/** Whether a change of a cohort moves anybody's truth, worked out for all users at once. */
import { STAGE_TABLE } from '../decision/stages.ts';
import type { Cohort } from '../model.ts';
import { RAMP_BUCKETS } from '../model.ts';

/**
 * The users of the cohort whose data is in `new`, as a text that is equal for equal sets. Whoever is inside the
 * ramp has the stage, the rest the stage before it; a user whose own data has to move first stays on `legacy`.
 */
function ownedByNew({ stage, ramp, salt, migration }: Cohort): string {
  const inside = STAGE_TABLE[stage];
  const outside = STAGE_TABLE[inside.before];
  if (inside.target === 'legacy') return 'nobody';
  const of = migration === 'per-user' ? ' whose data was moved' : '';
  if (outside.target === 'new') return `everybody${of}`;
  if (ramp.kind === 'count') return ramp.count <= 0 ? 'nobody' : `the first ${ramp.count}${of}`;
  if (ramp.buckets <= 0) return 'nobody';
  if (ramp.buckets >= RAMP_BUCKETS) return `everybody${of}`;
  return `${ramp.buckets} buckets${of}, salt ${salt}`;
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
