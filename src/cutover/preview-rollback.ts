/** What a rollback would do now. Nothing is held, so the answer may be older than the moment it is read. */
import type { Cohort } from '../model.ts';
import { cohortNamed, wantedRollback } from './cohort-requests.ts';
import { ChangeRefusedError, type RollbackPreview } from './control.ts';
import { isTracked } from './era.ts';
import { goesBack } from './going-back.ts';
import { DIRTY_MAX } from './stranded-users.ts';
import type { WriteMarks } from './write-marks.ts';

const LISTED_MAX = 1_000;

export interface PreviewOptions {
  readonly marks: WriteMarks;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
}

/** @throws UnknownCohortError, ChangeRefusedError when there is nothing to roll back */
export async function previewRollback(
  { marks, readCohorts }: PreviewOptions,
  name: string,
  epoch: number,
): Promise<RollbackPreview> {
  const cohorts = await readCohorts();
  const before = cohortNamed(cohorts, name);
  const wanted = wantedRollback(cohorts, { cohort: name, dirtyUsers: 'keep' });
  const after = wanted.cohorts.find((each) => each.name === name);
  if (after === undefined) throw new ChangeRefusedError(`cohort ${name} is gone`);
  const change = { kind: 'rollback', cohort: name, after, pin: undefined } as const;
  const marked = isTracked(before) ? (await marks.dirtyOf([name], DIRTY_MAX + 1)).users : [];
  const dirty = marked.filter(({ user, record }) => goesBack(change, user, record, cohorts));
  return {
    cohort: name,
    epoch,
    stage: before.stage,
    to: after.stage,
    tracked: isTracked(before),
    clean: await marks.cleanMembers(before),
    dirty: dirty.length,
    dirtyUsers: dirty.slice(0, LISTED_MAX).map(({ user }) => user),
  };
}
