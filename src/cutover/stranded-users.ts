/** Finds, when a hold has drained, whose writes are in `new` only, and says what becomes of them. */
import { ABSENT_RECORD, type Cohort, type User } from '../model.ts';
import { type Change, isUserChange } from './change.ts';
import type { Strander } from './controller.ts';
import { cohortsAfter, goesBack } from './going-back.ts';
import { judgeCohorts } from './judge-cohorts.ts';
import { type JudgedUser, judgeUser, servedUnfenced } from './judge-users.ts';
import type { Claims, Stranding, UserRecords, UserSwitch } from './stores.ts';
import type { WriteMarks } from './write-marks.ts';

export interface StranderOptions {
  readonly users: UserRecords;
  readonly marks: WriteMarks;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
}

/** Users whose writes one change can keep in `new`. */
export const DIRTY_MAX = 100_000;
const MORE_GATEWAYS = 'a cohort was changed meanwhile, and now every gateway has to agree: try again';
const NOBODY: Stranding = { pinned: [], leftOut: [], stranded: [] };

export class StrandedUsers implements Strander {
  readonly #options: StranderOptions;

  constructor(options: StranderOptions) {
    this.#options = options;
  }

  strand(change: Change, claims: Claims): Promise<Stranding | string> {
    return isUserChange(change) ? this.#ofUsers(change, claims.users) : this.#ofCohorts(change, claims.held);
  }

  async objection(change: Change, { users }: Claims): Promise<string | undefined> {
    const cohorts = await this.#options.readCohorts();
    const judged = (await this.#recordsOf(users)).map((each) => judgeUser(change, each, cohorts));
    if (judged.some(({ moves }) => moves)) return 'a user was changed by somebody else meanwhile: try again';
    return change.needsEveryGateway || !judged.some((each) => each.needsEveryGateway)
      ? undefined
      : MORE_GATEWAYS;
  }

  async #recordsOf(users: readonly User[]): Promise<readonly JudgedUser[]> {
    const known = await this.#options.users.readUsers(users);
    return users.map((user) => ({ user, record: known.get(user) ?? ABSENT_RECORD }));
  }

  async #ofUsers(change: Change, users: readonly User[]): Promise<Stranding | string> {
    const cohorts = await this.#options.readCohorts();
    const records = await this.#recordsOf(users);
    if (!change.needsEveryGateway && records.some(({ record }) => servedUnfenced(record, cohorts)))
      return MORE_GATEWAYS;
    const back = records.filter(({ user, record }) => goesBack(change, user, record, cohorts));
    if (back.length === 0) return NOBODY;
    const writes = await this.#options.marks.writesOf(back);
    const dirty = back.map(({ user }) => user).filter((user) => writes.get(user) !== 'none');
    if (change.dirtyUsers === 'force') return { ...NOBODY, stranded: dirty };
    if (change.job === undefined && dirty.length > 0)
      return 'the user has writes in new only, or nobody knows: force the change, or leave the user where it is';
    return { ...NOBODY, leftOut: dirty };
  }

  async #ofCohorts(change: Change, held: readonly string[]): Promise<Stranding | string> {
    const cohorts = await this.#options.readCohorts();
    const { goingBack, needsEveryGateway } = judgeCohorts(cohorts, cohortsAfter(change, cohorts));
    if (needsEveryGateway && !change.needsEveryGateway) return MORE_GATEWAYS;
    if (goingBack.length === 0) return NOBODY;
    const { users, more } = await this.#options.marks.dirtyOf(held, DIRTY_MAX + 1);
    const dirty = users
      .filter(({ user, record }) => goesBack(change, user, record, cohorts))
      .map(({ user }) => user);
    if (change.dirtyUsers === 'force') return { ...NOBODY, stranded: dirty.slice(0, DIRTY_MAX) };
    if (more || dirty.length > DIRTY_MAX)
      return `over ${DIRTY_MAX} users have writes in new only: force the change, or go on to complete`;
    return { ...NOBODY, pinned: dirty };
  }

  async carry(users: readonly UserSwitch[]): Promise<void> {
    await this.#options.marks.carry(users);
  }
}
