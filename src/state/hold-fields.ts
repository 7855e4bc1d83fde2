import type { Claims } from '../cutover/stores.ts';
import type { StoredCohort } from '../storage/record-store.ts';

/** The cohort of that name as the record has it: the one that exists, else the one that was deleted last. */
export function storedCohort(name: string, cohorts: readonly StoredCohort[]): StoredCohort | undefined {
  const named = cohorts.filter(({ cohort }) => cohort.name === name);
  const latest = named.toSorted((a, b) => b.number - a.number)[0];
  return named.find(({ deleted }) => !deleted) ?? latest;
}

/** The fields that a hold has in the map. A cohort that does not exist yet has none. */
export function holdFields(
  { held, users }: Pick<Claims, 'held' | 'users'>,
  cohorts: readonly StoredCohort[],
): string[] {
  const numbers = held.flatMap((name) => storedCohort(name, cohorts)?.number ?? []);
  return [...numbers.map((number) => `c${number}`), ...users.map((user) => `u${user}`)];
}
