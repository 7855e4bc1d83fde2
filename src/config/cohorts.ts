/**
 * The cohorts that the state map is seeded with.
 */
import type { Cohort } from '../model.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import type { CohortWritten } from './route-schema.ts';
import { readRamp, readRule } from './rule.ts';

/** @returns the cohort; `undefined` if its rule has a problem, reported */
export function readCohort(written: CohortWritten, place: Place, reading: Reading): Cohort | undefined {
  const rule = written.rule === undefined ? undefined : readRule(written.rule, [...place, 'rule'], reading);
  if (written.rule !== undefined && rule === undefined) return undefined;
  return {
    name: written.name,
    stage: written.stage,
    ramp: readRamp(written.ramp),
    salt: written.salt ?? written.name,
    rule,
    isDefault: written.default,
    migration: written.migration,
    mirror: written.mirror,
  };
}

/** Names are unique, and at most one cohort takes whom no other takes. */
export function checkCohortsTogether(
  cohorts: readonly (Cohort | undefined)[],
  place: Place,
  { report }: Reading,
): void {
  const names = new Set<string>();
  let byDefault: string | undefined;
  cohorts.forEach((cohort, index) => {
    if (cohort === undefined) return;
    if (names.has(cohort.name)) {
      report.problem([...place, index, 'name'], `another cohort is named \`${cohort.name}\``);
    }
    names.add(cohort.name);
    if (!cohort.isDefault) return;
    if (byDefault !== undefined) {
      report.problem(
        [...place, index, 'default'],
        `\`${byDefault}\` is the default cohort already; there is one at the most`,
      );
    }
    byDefault ??= cohort.name;
  });
}
