import { stateMap } from './0001-state-map.ts';
import { cohortChanges } from './0002-cohort-changes.ts';
import { everyChange } from './0003-every-change.ts';
import { writeMarks } from './0004-write-marks.ts';
import { reports } from './0005-reports.ts';
import { recordedSlots } from './0006-recorded-slots.ts';
import { guard } from './0007-guard.ts';

/** Every migration in order. One that has been released is never edited; a new one is added. */
export const MIGRATIONS: readonly { readonly number: number; readonly name: string; readonly sql: string }[] =
  [
    { number: 1, name: 'state-map', sql: stateMap },
    { number: 2, name: 'cohort-changes', sql: cohortChanges },
    { number: 3, name: 'every-change', sql: everyChange },
    { number: 4, name: 'write-marks', sql: writeMarks },
    { number: 5, name: 'reports', sql: reports },
    { number: 6, name: 'recorded-slots', sql: recordedSlots },
    { number: 7, name: 'guard', sql: guard },
  ];
