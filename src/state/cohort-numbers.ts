import type { StoredCohort } from '../storage/record-store.ts';
import type { CohortNumbers } from './record-codec.ts';

/** Numbers of the cohorts that exist; names of all, so that a record of a deleted one can still be read. */
export function cohortNumbers(cohorts: readonly StoredCohort[]): CohortNumbers {
  const numbers = new Map(
    cohorts.filter(({ deleted }) => !deleted).map(({ number, cohort }) => [cohort.name, number] as const),
  );
  const names = new Map(cohorts.map(({ number, cohort }) => [number, cohort.name] as const));
  return {
    numberOf: (name) => numbers.get(name),
    nameOf: (number) => names.get(number),
  };
}
