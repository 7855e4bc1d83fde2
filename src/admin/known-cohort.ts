/** Which cohorts there are, for whoever named one that is not among them. */
import { nearestKey } from '../config/nearest-key.ts';
import { AdminError } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';

/** @returns AdminError `cohort_unknown`, with the name that was probably meant */
export function cohortUnknown(name: string, known: readonly { readonly name: string }[]): AdminError {
  const near = nearestKey(
    name,
    known.map((cohort) => cohort.name),
  );
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return new AdminError('cohort_unknown', `There is no cohort ${name}.${hint}`);
}

/**
 * For answers that would be empty, which otherwise nobody could tell from those about a quiet cohort.
 *
 * @param name empty for requests without a cohort, which are always known
 * @throws AdminError `cohort_unknown`; as `ControlAccess.ask`
 */
export async function refuseUnknownCohort(name: string, access: ControlAccess): Promise<void> {
  if (name === '') return;
  const cohorts = await access.ask((control) => control.cohorts());
  if (!cohorts.some((cohort) => cohort.name === name)) throw cohortUnknown(name, cohorts);
}
