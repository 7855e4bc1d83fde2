/**
 * What the parts of the reading share.
 */
import { type Place, placeKey } from './place.ts';
import type { Report } from './report.ts';
import type { Variables } from './shape.ts';

export interface Reading {
  readonly report: Report;
  readonly variables: Variables;
}

/** Whether the value at `place` came, wholly or partly, from the environment. */
export function isFromEnvironment(reading: Reading, place: Place): boolean {
  return reading.variables.has(placeKey(place));
}
