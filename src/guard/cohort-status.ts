/** What people see of the guard of one cohort. Pure. */
import type { Cohort } from '../model.ts';
import type { Judgement } from './condition.ts';
import type { CohortGuard, GuardPhase } from './guard-control.ts';
import type { RampRow, TripRow } from './guard-store.ts';
import { sideRates } from './side-rates.ts';
import type { Slot } from './slot.ts';
import { isServed } from './trip-maker.ts';

export interface StatusParts {
  readonly judgements: readonly Judgement[];
  /** Of every cohort. */
  readonly open: readonly TripRow[];
  readonly latest: readonly TripRow[];
  readonly ramps: readonly RampRow[];
  /** Oldest first. */
  readonly slots: readonly Slot[];
  readonly nowSecond: number;
  readonly windowMs: number;
}

function phaseOf(cohort: Cohort, held: TripRow | undefined, open: readonly TripRow[]): GuardPhase {
  if (held !== undefined) return 'tripped';
  if (!isServed(cohort)) return 'idle';
  return open.length > 0 ? 'cooling' : 'armed';
}

export function cohortStatus(cohort: Cohort, parts: StatusParts): CohortGuard {
  const { judgements, slots, nowSecond, windowMs } = parts;
  const { name, stage } = cohort;
  const open = parts.open.filter((trip) => trip.cohort === name);
  const held = open.find(({ action }) => action === 'rollback');
  return {
    cohort: name,
    stage,
    phase: phaseOf(cohort, held, open),
    judgements,
    trip: held ?? parts.latest.find((trip) => trip.cohort === name),
    ramp: parts.ramps.find((run) => run.cohort === name),
    legacy: sideRates(slots, 'legacy', windowMs, nowSecond),
    new: sideRates(slots, 'new', windowMs, nowSecond),
    mirrorBacklog: slots.findLast(({ mirrorBacklog }) => mirrorBacklog !== undefined)?.mirrorBacklog,
  };
}
