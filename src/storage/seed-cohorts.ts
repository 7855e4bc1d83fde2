import { judgeSeeds } from '../cutover/judge-seeds.ts';
import type { Cohort } from '../model.ts';
import { cohortDefinition } from './cohort-json.ts';
import { text } from './columns.ts';
import { readCohorts } from './read-cohorts.ts';
import type { Seeded } from './record-store.ts';
import type { Sql, SqlStore } from './sql.ts';

/**
 * Creates the cohorts whose names are not there, in the order given, after the existing ones, as far as that moves
 * nobody's truth (`judge-seeds.ts`). Existing ones stay as they are, whatever `cohorts` says of them.
 */
export function seedCohorts(store: SqlStore, cohorts: readonly Cohort[]): Promise<Seeded> {
  return store.exclusive('turnout cohorts', async (sql) => {
    const existing = await readCohorts(sql);
    const names = new Set(existing.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort.name));
    if (cohorts.every(({ name }) => names.has(name))) return { cohorts: existing, notSeeded: [] };
    const notSeeded = await sql.transaction((step) => addMissing(step, cohorts));
    return { cohorts: await readCohorts(sql), notSeeded };
  });
}

async function addMissing(step: Sql, cohorts: readonly Cohort[]): Promise<Seeded['notSeeded']> {
  // Whoever opens a change locks the rows of its cohorts, in this order: it is seen here, or it sees what is created here.
  await step.run('SELECT number FROM cohorts ORDER BY name COLLATE "C" FOR NO KEY UPDATE');
  const existing = await readCohorts(step);
  const serving = await step.run('SELECT 1 FROM gateways LIMIT 1');
  const claimed = await step.run('SELECT DISTINCT cohort FROM change_cohorts');
  const { create, notSeeded } = judgeSeeds(
    existing.filter(({ deleted }) => !deleted).map(({ cohort }) => cohort),
    new Set(existing.filter(({ deleted }) => deleted).map(({ cohort }) => cohort.name)),
    cohorts,
    new Set(claimed.map((row) => text(row, 'cohort'))),
    serving.length > 0,
  );
  let position = Math.max(-1, ...existing.map((cohort) => cohort.position));
  for (const cohort of create) {
    position += 1;
    await step.run('INSERT INTO cohorts (name, position, definition) VALUES ($1, $2, $3::jsonb)', [
      cohort.name,
      position,
      cohortDefinition(cohort),
    ]);
  }
  return notSeeded;
}
