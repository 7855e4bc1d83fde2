/** In which cohorts a group was seen. */
import { type CohortCounts, type CohortSpread, OTHER } from './report-store.ts';

/** Cohorts that are told apart within one group; the rest is counted together. */
export const COHORTS_OF_A_GROUP_MAX = 50;

export function mergeSpreads(one: CohortSpread, other: CohortSpread): CohortSpread {
  const merged = new Map<string, CohortCounts>(Object.entries(one));
  for (const [cohort, counts] of Object.entries(other)) {
    const isKept = merged.has(cohort) || merged.size < COHORTS_OF_A_GROUP_MAX;
    const name = isKept ? cohort : OTHER;
    const known = merged.get(name) ?? { raw: 0, confirmed: 0, noise: 0 };
    merged.set(name, {
      raw: known.raw + counts.raw,
      confirmed: known.confirmed + counts.confirmed,
      noise: known.noise + counts.noise,
    });
  }
  return Object.fromEntries(merged);
}
