/** The control service: begins changes, runs them, and finishes or undoes those whose process vanished. */
import type { Logger } from 'pino';
import { ABSENT_RECORD, type Cohort, type User } from '../model.ts';
import type { Change } from './change.ts';
import { ChangeRunner, type RunnerTiming } from './change-runner.ts';
import type { ControllerPolicy } from './change-steps.ts';
import {
  cohortNamed,
  judgeWanted,
  type Wanted,
  wantedCreation,
  wantedEdit,
  wantedRollback,
  wantedStage,
} from './cohort-requests.ts';
import type {
  ChangeAuthor,
  CohortDeletion,
  CohortEdit,
  CohortRequest,
  Control,
  GatewayView,
  MemberLine,
  MembersProgress,
  MembersRequest,
  PinRequest,
  ReassignRequest,
  RollbackPreview,
  RollbackRequest,
  StageRequest,
  UserView,
} from './control.ts';
import { Controller } from './controller.ts';
import { deleteCohort, membersNow } from './delete-cohort.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { fenceMarginMs } from './lease-watch.ts';
import { type Job, type JobOptions, MemberJob } from './member-job.ts';
import { previewRollback } from './preview-rollback.ts';
import { Recovery } from './recovery.ts';
import { ChangeStarter, type Judged } from './start-change.ts';
import type { Author, ChangeStore, ControlMap, UserRecords } from './stores.ts';
import { StrandedUsers } from './stranded-users.ts';
import { judgePin } from './user-requests.ts';
import type { WriteMarks } from './write-marks.ts';

export interface ControlOptions {
  readonly store: ChangeStore;
  readonly map: ControlMap;
  readonly users: UserRecords;
  readonly marks: WriteMarks;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
  /** `cutover.drainMaxMs`, as it is when a hold begins. */
  readonly drainMaxMs: () => number;
  readonly selfFenceAfterMs: number;
  /** How long a write may take whose last piece was sent: the longest deadline of a backend. */
  readonly writeMaxMs: number;
  /** Rejects, in words, while nobody may come to `new` in this cohort; the guard's. */
  readonly mayGoOn?: (cohort: string) => Promise<void>;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  readonly timing?: Partial<ControlTiming>;
}

export interface ControlTiming extends Omit<ControllerPolicy, 'drainMaxMs'>, RunnerTiming {
  /** How long the heartbeat of another process's change may stand still. */
  readonly controllerSilentMs: number;
}

function timingOf({ selfFenceAfterMs, writeMaxMs, timing }: ControlOptions): ControlTiming {
  const fencedAfterMs = selfFenceAfterMs + fenceMarginMs(selfFenceAfterMs);
  return {
    // Long enough for the gateways of a crash to fence themselves.
    pendingMaxMs: fencedAfterMs + writeMaxMs + 15_000,
    retryMaxMs: 30_000,
    undoMaxMs: fencedAfterMs,
    pollMs: 5,
    beatMs: 500,
    controllerSilentMs: 3_000,
    pendingAnswerMs: 1_000,
    answerMaxMs: 30_000,
    ...timing,
  };
}

const NOBODY_SAID: Author = { actor: 'system', reason: '' };
const HISTORY_MAX = 20;

class ControlService implements Control {
  readonly #options: ControlOptions;
  readonly #gateways: GatewayWatch;
  readonly #runner: ChangeRunner;
  readonly #starter: ChangeStarter;
  readonly #jobs: JobOptions;
  readonly #loops: readonly Promise<void>[];

  constructor(options: ControlOptions) {
    const { store, map, users, readCohorts, log, drainMaxMs, selfFenceAfterMs, writeMaxMs } = options;
    this.#options = options;
    const timing = timingOf(options);
    const now = options.now ?? (() => performance.now());
    this.#gateways = new GatewayWatch(store, map, { selfFenceAfterMs, writeMaxMs }, now);
    const controller = new Controller({
      store,
      map,
      strander: new StrandedUsers(options),
      gateways: this.#gateways,
      policy: { ...timing, drainMaxMs },
      log,
      now,
      sleep: (ms) => this.#runner.sleep(ms),
    });
    const recovery = new Recovery(store, timing.controllerSilentMs, now);
    this.#runner = new ChangeRunner({ store, controller, recovery, timing, log, now });
    this.#starter = new ChangeStarter({ store, map, readCohorts, mayGoOn: options.mayGoOn, now });
    this.#jobs = { store, users, readCohorts, starter: this.#starter, runner: this.#runner, now };
    this.#loops = [
      // Always, so that who is alive is known when a change begins.
      this.#every(Math.max(20, selfFenceAfterMs / 16), () => this.#gateways.ask()),
      this.#every(timing.controllerSilentMs / 6, () => this.#runner.recover()),
    ];
  }

  /** Until the service is closed; a failure is tried again the next time. */
  async #every(ms: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#runner.isStopped) {
      await work().catch(() => undefined);
      await this.#runner.sleep(ms);
    }
  }

  /** Opens a change and runs it, unless its idempotency key has begun it before. */
  async #begin(
    author: ChangeAuthor,
    judge: (cohorts: readonly Cohort[]) => Promise<Judged> | Judged,
  ): Promise<Change> {
    const known = await this.#starter.known(author);
    if (known !== undefined) return this.#runner.outcome(known);
    const opened = await this.#starter.open(author, judge);
    if (opened === undefined) throw new Error('there is nothing to change');
    if (opened.isNew) this.#runner.run(opened.change);
    return this.#runner.outcome(opened.change);
  }

  #change(author: ChangeAuthor, want: (cohorts: readonly Cohort[]) => Wanted) {
    return this.#begin(author, (cohorts) => judgeWanted(cohorts, want(cohorts)));
  }

  changeStage(request: StageRequest): Promise<Change> {
    return this.#change(request, (cohorts) => wantedStage(cohorts, request));
  }

  rollback(request: RollbackRequest): Promise<Change> {
    return this.#change(request, (cohorts) => wantedRollback(cohorts, request));
  }

  async previewRollback(cohort: string): Promise<RollbackPreview> {
    return previewRollback(this.#options, cohort, await this.#options.map.epoch());
  }

  createCohort(request: CohortRequest): Promise<Change> {
    return this.#change(request, (cohorts) => wantedCreation(cohorts, request));
  }

  editCohort(request: CohortEdit): Promise<Change> {
    return this.#change(request, (cohorts) => wantedEdit(cohorts, request));
  }

  async deleteCohort(request: CohortDeletion): Promise<Change> {
    return deleteCohort(request, {
      ...this.#jobs,
      known: () => this.#starter.known(request),
      outcome: (change) => this.#runner.outcome(change),
      change: (author, want) => this.#change(author, want),
    });
  }

  pin(request: PinRequest): Promise<Change> {
    const { users, marks } = this.#options;
    return this.#begin(request, (cohorts) => judgePin(request, cohorts, users, marks));
  }

  async *changeMembers(
    request: MembersRequest,
    lines: AsyncIterable<MemberLine>,
  ): AsyncGenerator<MembersProgress> {
    const kind = request.action === 'add' ? 'members-add' : 'members-remove';
    yield* this.#job({ ...request, kind }, lines);
  }

  async *reassign(request: ReassignRequest): AsyncGenerator<MembersProgress> {
    const lines = membersNow(this.#options.users, request.cohort, 'rule');
    yield* this.#job({ ...request, kind: 'reassign' }, lines);
  }

  async *#job(
    job: Job & Pick<ChangeAuthor, 'expectedEpoch'>,
    lines: AsyncIterable<MemberLine>,
  ): AsyncGenerator<MembersProgress> {
    cohortNamed(await this.#options.readCohorts(), job.cohort);
    await this.#starter.known({ ...job, idempotencyKey: undefined });
    yield* new MemberJob(this.#jobs, job).run(lines);
  }

  members(cohort: string, after: User | undefined, limit: number) {
    return this.#options.users.membersOf(cohort, after, limit);
  }

  async user(user: User): Promise<UserView> {
    const { users, marks } = this.#options;
    const record = (await users.readUsers([user])).get(user) ?? ABSENT_RECORD;
    const [writes, history] = await Promise.all([
      marks.writesOf([{ user, record }]),
      users.historyOf(user, HISTORY_MAX),
    ]);
    return { user, record, dirty: writes.get(user) === 'some', history };
  }

  async rebuild(author: Author): Promise<{ readonly mapId: string; readonly epoch: number }> {
    const { map, store, log } = this.#options;
    const made = await map.rebuild();
    await store.noteAction('rebuild', made.mapId, author);
    log.warn({ event: 'state_rebuilt', map: made.mapId, epoch: made.epoch }, 'the state map was rebuilt');
    return made;
  }

  openChanges(): Promise<readonly Change[]> {
    return this.#options.store.openChanges();
  }

  changes(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]> {
    return this.#options.store.listChanges(before, limit, cohort);
  }

  change(id: string): Promise<Change | undefined> {
    return this.#options.store.readChange(id);
  }

  dirtyOf(change: string, after: User | undefined, limit: number): Promise<readonly User[]> {
    return this.#options.store.dirtyOf(change, after, limit);
  }

  async gateways(): Promise<readonly GatewayView[]> {
    const watched = await this.#gateways.ask();
    return watched.map(({ id, where, liveness, silentMs, lease }) => ({
      id,
      where,
      verdict: liveness,
      silentMs,
      applied: lease?.applied,
      drained: lease?.drained,
      digest: lease?.digest,
    }));
  }

  async evictGateway(id: string, author: Author = NOBODY_SAID): Promise<boolean> {
    const { store, map } = this.#options;
    const known = (await this.#gateways.ask()).find((each) => each.id === id);
    if (known === undefined) return false;
    await store.noteAction('evict', `${known.where} (${id})`, author);
    await map.dropLease(id);
    await store.deregisterGateway(id);
    return true;
  }

  cohorts(): Promise<readonly Cohort[]> {
    return this.#options.readCohorts();
  }

  async close(): Promise<void> {
    // What can end soon ends here; the rest would leave writes held until somebody recovers it.
    await this.#runner.close(this.#options.drainMaxMs() + 500);
    await Promise.all(this.#loops);
  }
}

/** Starts to watch the gateways and to recover changes at once. Close it before its stores. */
export function createControl(options: ControlOptions): Control {
  return new ControlService(options);
}
