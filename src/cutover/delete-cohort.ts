/**
 * Deletes a cohort in steps, each a change of its own, so that nobody is left in a cohort that does not exist: first
 * nobody comes to it any more, then its members leave, and then it goes.
 */
import type { Cohort, Membership, User } from '../model.ts';
import type { Change } from './change.ts';
import { cohortNamed, type Wanted, wantedDeletion, wantedEdit } from './cohort-requests.ts';
import { type ChangeAuthor, ChangeRefusedError, type CohortDeletion, type MemberLine } from './control.ts';
import { type Job, type JobOptions, MemberJob } from './member-job.ts';
import type { UserRecords } from './stores.ts';

export interface DeletionOptions extends JobOptions {
  /** What an earlier request with the same key has begun. @throws EpochMismatchError */
  readonly known: () => Promise<Change | undefined>;
  readonly outcome: (change: Change) => Promise<Change>;
  readonly change: (author: ChangeAuthor, want: (cohorts: readonly Cohort[]) => Wanted) => Promise<Change>;
}

const PAGE = 1_000;

/** The members of a cohort, page by page; lines are numbered as they come. */
export async function* membersNow(
  users: UserRecords,
  cohort: string,
  by?: Membership['by'],
): AsyncGenerator<MemberLine> {
  let line = 0;
  for (let after: User | undefined; ; ) {
    const page = await users.membersOf(cohort, after, PAGE, by);
    for (const { user } of page) {
      line += 1;
      yield { line, user };
    }
    after = page.at(-1)?.user;
    if (page.length < PAGE) return;
  }
}

async function isEmpty(users: UserRecords, cohort: string): Promise<boolean> {
  return (await users.membersOf(cohort, undefined, 1)).length === 0;
}

async function work(options: JobOptions, job: Job): Promise<void> {
  for await (const _progress of new MemberJob(options, job).run(membersNow(options.users, job.cohort))) {
    // Each one is durable: whoever repeats the request goes on from here.
  }
}

/** @returns the change that is not done, or the deletion */
export async function deleteCohort(request: CohortDeletion, options: DeletionOptions): Promise<Change> {
  const { cohort, actor, reason, dirtyUsers } = request;
  const { users, readCohorts } = options;
  const known = await options.known();
  if (known !== undefined) return options.outcome(known);
  const first = { actor, reason, expectedEpoch: undefined, idempotencyKey: undefined };
  const before = cohortNamed(await readCohorts(), cohort);
  if (before.rule !== undefined || before.isDefault) {
    const edit = { ...first, cohort, rule: null, isDefault: false, dirtyUsers };
    const rest = { migration: undefined, mirror: undefined, position: undefined };
    const closed = await options.change(first, (cohorts) => wantedEdit(cohorts, { ...edit, ...rest }));
    if (closed.phase !== 'done') return closed;
  }
  const job = { actor, reason, cohort, dirtyUsers } as const;
  await work(options, { ...job, kind: 'members-remove' });
  if (!(await isEmpty(users, cohort))) {
    // Whoever is left has writes in `new` only, and stays there by a pin.
    await work(options, { ...job, kind: 'pin' });
    await work(options, { ...job, kind: 'members-remove' });
  }
  if (!(await isEmpty(users, cohort)))
    throw new ChangeRefusedError(`cohort ${cohort} still gets members: try again`);
  const author = { ...first, idempotencyKey: request.idempotencyKey };
  return options.change(author, (cohorts) => wantedDeletion(cohorts, cohort, dirtyUsers));
}
