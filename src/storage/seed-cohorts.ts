import { nextEra } from '../cutover/era.ts';
import type { Cohort } from '../model.ts';
import { cohortDefinition } from './cohort-json.ts';
import { readCohorts } from './read-cohorts.ts';
import type { StoredCohort } from './record-store.ts';
import type { SqlStore } from './sql.ts';

/**
 * Creates the cohorts whose names are not there, in the order given, after the existing ones. Existing ones
 * stay as they are, whatever `cohorts` says of them. Returns all cohorts.
 */
export function seedCohorts(store: SqlStore, cohorts: readonly Cohort[]): Promise<readonly StoredCohort[]> {
  return store.exclusive('turnout cohorts', async (sql) => {
    const existing = await readCohorts(sql);
    const names = new Set(existing.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort.name));
    const missing = cohorts.filter(({ name }) => !names.has(name));
    if (missing.length === 0) return existing;
    await sql.transaction(async (step) => {
      let position = Math.max(-1, ...existing.map((cohort) => cohort.position));
      for (const cohort of missing) {
        position += 1;
        await step.run('INSERT INTO cohorts (name, position, definition) VALUES ($1, $2, $3::jsonb)', [
          cohort.name,
          position,
          cohortDefinition({ ...cohort, era: nextEra(undefined, cohort) }),
        ]);
      }
    });
    return readCohorts(sql);
  });
}
