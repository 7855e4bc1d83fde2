/** Simulated days and failures on the real judging code. */
import type { Figures } from '../../src/guard/condition.ts';
import { judge, tripPathOf } from '../../src/guard/judge.ts';
import type { TripPath } from '../../src/guard/trip.ts';
import type { Cell } from './cell.ts';
import { Random } from './random.ts';
import { SimulatedCohort } from './simulated-cohort.ts';
import { DAY_SECONDS, LEVELS, Traffic } from './traffic.ts';

export interface SimulatedTrip {
  readonly cell: Cell;
  readonly seed: number;
  readonly second: number;
  readonly path: TripPath;
  readonly figures: Figures | undefined;
}

export interface SimulatedDays {
  readonly cell: Cell;
  readonly days: number;
  /** Seconds that were judged in full, because the screen did not rule out a trip. */
  readonly judged: number;
  readonly trips: readonly SimulatedTrip[];
}

/** Days on which nothing is wrong with `new`. After a trip it begins anew, as after a rollback. @param days 1 or more */
export function simulateDays(cell: Cell, days: number, seed: number): SimulatedDays {
  const random = new Random(seed);
  const cohort = new SimulatedCohort(cell, random);
  const traffic = new Traffic(random);
  const trips: SimulatedTrip[] = [];
  let judged = 0;
  for (let second = 0; second < days * DAY_SECONDS; second += 1) {
    if (!cohort.draw(second, traffic.level(second))) continue;
    judged += 1;
    const slots = cohort.slots();
    const path = tripPathOf(cohort.condition, slots, second);
    if (path === undefined) continue;
    const figures = judge([cohort.condition], slots, second)[0]?.figures;
    trips.push({ cell, seed, second, path, figures });
    cohort.forget();
  }
  return { cell, days, judged, trips };
}

/** Seconds from the beginning of the failures until the trip; `undefined` for none in time. */
export type Delay = number | undefined;

const GOOD_SECONDS = 150;
/** A quarter of the day's steps: the rate is the mean one. */
const STEADY = Math.floor(LEVELS / 2 / 4);

/**
 * A good time, then failures that last.
 * @param cell `value`: that of the failures @param before value of the good time @param secondsMax 1 or more
 * @returns one delay a run
 */
export function simulateFailures(
  cell: Cell,
  before: number,
  runs: number,
  secondsMax: number,
  seed: number,
): Delay[] {
  const random = new Random(seed);
  return Array.from({ length: runs }, () => {
    const cohort = new SimulatedCohort({ ...cell, value: before }, random);
    for (let second = 0; second < GOOD_SECONDS; second += 1) cohort.draw(second, STEADY);
    cohort.change(cell.value);
    for (let second = GOOD_SECONDS; second < GOOD_SECONDS + secondsMax; second += 1) {
      if (!cohort.draw(second, STEADY)) continue;
      if (tripPathOf(cohort.condition, cohort.slots(), second) !== undefined) {
        return second - GOOD_SECONDS + 1;
      }
    }
    return undefined;
  });
}
