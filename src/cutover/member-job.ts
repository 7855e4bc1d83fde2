/**
 * Jobs over many users: members added, taken out, or let go to be placed anew. Each batch is a change of its own, so
 * what a progress tells of is durable, and whatever dies leaves whole batches behind.
 *
 * Of a batch the users whose truth cannot move go first, in one change without a hold; the others in small ones with
 * a hold. The next batch begins when every gateway has applied the one before, so the feed never runs ahead.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cohort, User } from '../model.ts';
import { ABSENT_RECORD } from '../model.ts';
import type { Change, ChangeKind } from './change.ts';
import type { ChangeRunner } from './change-runner.ts';
import {
  type ChangeAuthor,
  ChangeRefusedError,
  type DirtyPolicy,
  type MemberLine,
  type MembersProgress,
} from './control.ts';
import { hasUsersOnNew } from './era.ts';
import { judgeUser, type UserJudgement } from './judge-users.ts';
import type { ChangeStarter, Judged } from './start-change.ts';
import type { ChangeStore, UserRecords } from './stores.ts';

export interface JobOptions {
  readonly store: ChangeStore;
  readonly users: UserRecords;
  readonly starter: ChangeStarter;
  readonly runner: ChangeRunner;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
}

export interface Job extends Pick<ChangeAuthor, 'actor' | 'reason'> {
  readonly kind: Extract<ChangeKind, 'members-add' | 'members-remove' | 'reassign' | 'pin'>;
  readonly cohort: string;
  readonly dirtyUsers: DirtyPolicy;
}

/** Users of one change. As many as fit into the time that somebody who wants to change the cohort may have to wait. */
const BATCH_MAX = 5_000;
const BATCH_MIN = 200;
const BATCH_FIRST = 1_000;
const BATCH_MS = 500;
const HELD_BATCH_MAX = 500;
/** Between two changes of a job: whoever wants to change the cohort gets in here. */
const GAP_MS = 15;
/** A batch is undone when a gateway is lost, or its users were changed by somebody else. */
const ATTEMPTS_MAX = 3;

type Refusal = MembersProgress['refused'][number];

type Lines = ReadonlyMap<User, number>;

export class MemberJob {
  readonly #options: JobOptions;
  readonly #job: Job;
  readonly #id = randomUUID();
  #size = BATCH_FIRST;
  #changed = 0;
  #unchanged = 0;
  #epoch: number | undefined;
  /** Since the last progress. */
  #refused: Refusal[] = [];

  constructor(options: JobOptions, job: Job) {
    this.#options = options;
    this.#job = job;
  }

  /** @throws what a change throws; ChangeRefusedError when a batch was undone */
  async *run(lines: AsyncIterable<MemberLine> | Iterable<MemberLine>): AsyncGenerator<MembersProgress> {
    let batch = new Map<User, number>();
    let last = 0;
    for await (const { line, user } of lines) {
      last = line;
      // One that is there twice is as wanted the second time.
      if (batch.has(user)) this.#unchanged += 1;
      else batch.set(user, line);
      if (batch.size < this.#size) continue;
      await this.#batch(batch);
      yield this.#progress(last);
      batch = new Map();
    }
    await this.#batch(batch);
    yield this.#progress(last);
  }

  #progress(line: number): MembersProgress {
    const refused = this.#refused;
    this.#refused = [];
    return { line, changed: this.#changed, unchanged: this.#unchanged, refused, epoch: this.#epoch };
  }

  async #batch(lines: Lines): Promise<void> {
    const judged = await this.#judge([...lines.keys()], await this.#options.readCohorts());
    const wanted = judged.filter(({ unchanged }) => !unchanged);
    this.#unchanged += judged.length - wanted.length;
    const users = (moves: boolean): User[] =>
      wanted.filter((each) => each.moves === moves).map(({ user }) => user);
    const moving = [...(await this.#change(users(false), false, lines)), ...users(true)];
    for (let at = 0; at < moving.length; at += HELD_BATCH_MAX)
      await this.#change(moving.slice(at, at + HELD_BATCH_MAX), true, lines);
  }

  async #judge(users: readonly User[], cohorts: readonly Cohort[]): Promise<readonly UserJudgement[]> {
    const known = users.length === 0 ? new Map() : await this.#options.users.readUsers(users);
    return users.map((user) =>
      judgeUser(this.#edit, { user, record: known.get(user) ?? ABSENT_RECORD }, cohorts),
    );
  }

  get #edit(): Pick<Change, 'kind' | 'cohort' | 'pin'> {
    const { kind, cohort } = this.#job;
    return kind === 'pin' ? { kind, cohort: undefined, pin: 'new' } : { kind, cohort, pin: undefined };
  }

  /** Makes one change of these users. @returns those who have come to need a hold meanwhile */
  async #change(users: readonly User[], held: boolean, lines: Lines): Promise<readonly User[]> {
    if (users.length === 0) return [];
    const { starter, runner, now } = this.#options;
    for (let attempt = 1; ; attempt++) {
      let later: readonly User[] = [];
      const opened = await starter.open({ ...this.#job, idempotencyKey: undefined }, async (cohorts) => {
        const wanted = (await this.#judge(users, cohorts)).filter(({ unchanged }) => !unchanged);
        const mine = wanted.filter(({ moves }) => held || !moves);
        later = wanted.filter(({ moves }) => !held && moves).map(({ user }) => user);
        return mine.length === 0 ? undefined : this.#judged(mine, held, cohorts);
      });
      if (opened === undefined) return later;
      const beganMs = now();
      runner.run(opened.change);
      const over = await runner.outcome(opened.change, true);
      if (over.phase === 'done') {
        await this.#count(over, lines);
        if (!held) this.#size = nextSize(users.length, now() - beganMs);
        await delay(GAP_MS);
        return later;
      }
      if (attempt === ATTEMPTS_MAX || over.phase !== 'undone')
        throw new ChangeRefusedError(`batch ${over.id} was not made: ${over.note ?? 'it goes on by itself'}`);
    }
  }

  #judged(users: readonly UserJudgement[], held: boolean, cohorts: readonly Cohort[]): Judged {
    const { dirtyUsers } = this.#job;
    const { kind, cohort, pin } = this.#edit;
    const mayServe = (each: Cohort): boolean => each.name === cohort && hasUsersOnNew(each);
    const named = users.flatMap((each) => (held ? each.comesTo : each.restsOn));
    const shared = new Set([...named, ...(cohort === undefined ? [] : [cohort])]);
    return {
      kind,
      dirtyUsers,
      cohort,
      pin,
      job: this.#id,
      goingOn: held && kind === 'members-add' ? cohorts.filter(mayServe).map(({ name }) => name) : [],
      movesTruth: held,
      needsEveryGateway: users.some((each) => each.needsEveryGateway),
      claims: { held: [], own: [], shared: [...shared], users: users.map(({ user }) => user) },
      judged: cohorts,
    };
  }

  async #count(over: Change, lines: Lines): Promise<void> {
    this.#changed += over.users;
    this.#epoch = over.releaseEpoch ?? over.switchEpoch;
    if (over.dirty === 0 || over.dirtyUsers === 'force') return;
    const reason = 'has writes in new only, and stays as it is';
    for (const user of await this.#options.store.dirtyOf(over.id, undefined, BATCH_MAX))
      this.#refused.push({ line: lines.get(user) ?? 0, user, reason });
  }
}

/** @param tookMs for so many users */
function nextSize(users: number, tookMs: number): number {
  return Math.round(Math.min(BATCH_MAX, Math.max(BATCH_MIN, (users * BATCH_MS) / Math.max(1, tookMs))));
}
