/** What the reports know, read when somebody asks. */
import { type Family, gauge } from './families.ts';

export interface ReportsView {
  /** Mismatch groups by status, as of some seconds ago; `undefined` before the record first answered. */
  readonly groups: ReadonlyMap<string, number> | undefined;
}

/** @param reports `undefined` until they are there: the family is listed then too, without samples */
export function reportFamilies(reports: ReportsView | undefined): Family[] {
  const samples = [...(reports?.groups ?? [])].map(([status, value]) => ({ labels: { status }, value }));
  // Every worker reads the same record; the latest to have read it may know of one more.
  return [gauge('turnout_mismatch_groups', 'Mismatch groups in the record, noise included.', 'max', samples)];
}
