/** A control service in memory: its changes stay in the phase that the test gives them. */
import { randomUUID } from 'node:crypto';
import { type Change, isOver, type Phase } from '../../src/cutover/change.ts';
import {
  type ChangeAuthor,
  type CohortDeletion,
  type CohortEdit,
  CohortExistsError,
  type CohortRequest,
  type Control,
  EpochMismatchError,
  type GatewayView,
  type MemberLine,
  type MembersProgress,
  type MembersRequest,
  type PinRequest,
  type ReassignRequest,
  type RollbackPreview,
  type RollbackRequest,
  type StageRequest,
  UnknownCohortError,
  type UserView,
} from '../../src/cutover/control.ts';
import { ChangeConflictError } from '../../src/cutover/stores.ts';
import { ABSENT_RECORD, type Cohort, type Ramp, type Stage, type UserRecord } from '../../src/model.ts';

export function cohortNamed(name: string, stage: Stage, more: Partial<Cohort> = {}): Cohort {
  const ramp: Ramp = { kind: 'percent', buckets: 10_000 };
  const fixed = {
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
  } as const;
  return { name, stage, ramp, ...fixed, ...more };
}

export function gatewayView(id: string, more: Partial<GatewayView> = {}): GatewayView {
  const view = { where: `host-${id}, process 1`, verdict: 'live', silentMs: 12, digest: 'abc' } as const;
  return { id, applied: 4, drained: 4, ...view, ...more };
}

/** As a request without anything special. */
export const AUTHOR: ChangeAuthor = {
  actor: 'a',
  reason: 'r',
  expectedEpoch: undefined,
  idempotencyKey: undefined,
};

type Asked =
  | StageRequest
  | RollbackRequest
  | CohortRequest
  | CohortEdit
  | CohortDeletion
  | PinRequest
  | MembersRequest
  | ReassignRequest;

export class FakeControl implements Omit<Control, 'close'> {
  readonly list: Cohort[] = [
    cohortNamed('staff', 'live'),
    cohortNamed('beta', 'shadow', { ramp: { kind: 'percent', buckets: 5_000 } }),
    cohortNamed('everyone', 'off', { isDefault: true }),
  ];
  gatewayViews: GatewayView[] = [gatewayView('g1'), gatewayView('g2')];
  epoch = 4;
  /** Newest first. */
  readonly log: Change[] = [];
  readonly asked: Asked[] = [];
  /** What the next changes become at once. */
  next: { phase: Phase; note?: string } = { phase: 'done' };
  /** Every call fails with it. */
  failure: Error | undefined;
  /** A change is returned only once the promise resolves. */
  slow: Promise<void> = Promise.resolve();
  readonly evicted: string[] = [];
  readonly evictedBy: (Pick<ChangeAuthor, 'actor' | 'reason'> | undefined)[] = [];
  readonly rebuilt: Pick<ChangeAuthor, 'actor' | 'reason'>[] = [];
  /** Of the preview of a rollback. */
  preview: Partial<RollbackPreview> = {};
  /** By user. */
  readonly records = new Map<string, UserRecord>();
  readonly dirtyUsers = new Set<string>();

  changeStage(request: StageRequest): Promise<Change> {
    return this.#change(request, request.cohort, () => {
      const before = this.#cohort(request.cohort);
      return this.begin(before, request);
    });
  }

  rollback(request: RollbackRequest): Promise<Change> {
    return this.#change(request, request.cohort, () => {
      const before = this.#cohort(request.cohort);
      const after: Cohort = { ...before, stage: 'shadow' };
      const { dirtyUsers } = request;
      return this.#add({
        ...request,
        kind: 'rollback',
        before,
        after,
        dirtyUsers,
        dirty: this.dirtyUsers.size,
      });
    });
  }

  async previewRollback(cohort: string): Promise<RollbackPreview> {
    this.#fail();
    const { stage } = this.#cohort(cohort);
    const dirtyUsers = [...this.dirtyUsers].toSorted();
    const { epoch } = this;
    const clean = this.records.size - dirtyUsers.length;
    const preview = { cohort, epoch, stage, to: 'shadow', tracked: true, clean } as const;
    return { ...preview, dirty: dirtyUsers.length, dirtyUsers, ...this.preview };
  }

  createCohort(request: CohortRequest): Promise<Change> {
    return this.#change(request, request.name, () => {
      const { name, rule, isDefault, migration, mirror, ramp } = request;
      if (this.list.some((cohort) => cohort.name === name)) throw new CohortExistsError(name);
      const after = cohortNamed(name, 'off', { rule, isDefault, migration, mirror, ramp });
      this.list.push(after);
      return this.#add({ ...request, kind: 'cohort-create', cohort: name, after });
    });
  }

  editCohort(request: CohortEdit): Promise<Change> {
    return this.#change(request, request.cohort, () => {
      const before = this.#cohort(request.cohort);
      const { rule, isDefault, migration, mirror } = request;
      const after: Cohort = {
        ...before,
        rule: rule === undefined ? before.rule : (rule ?? undefined),
        isDefault: isDefault ?? before.isDefault,
        migration: migration ?? before.migration,
        mirror: mirror ?? before.mirror,
      };
      this.list.splice(this.list.indexOf(before), 1, after);
      return this.#add({ ...request, kind: 'cohort-edit', before, after });
    });
  }

  /** Awaited by a deletion before its change begins, as if members were taken out. */
  deleting: Promise<void> = Promise.resolve();
  deletions = 0;

  async deleteCohort(request: CohortDeletion): Promise<Change> {
    this.deletions += 1;
    await this.deleting;
    return this.#change(request, request.cohort, () => {
      const before = this.#cohort(request.cohort);
      this.list.splice(this.list.indexOf(before), 1);
      return this.#add({ ...request, kind: 'cohort-delete', before });
    });
  }

  pin(request: PinRequest): Promise<Change> {
    return this.#change(request, undefined, () => {
      const { user, backend } = request;
      this.records.set(user, { ...(this.records.get(user) ?? ABSENT_RECORD), pin: backend });
      const kind = backend === undefined ? 'unpin' : 'pin';
      return this.#add({ ...request, kind, cohort: undefined, user, pin: backend, users: 1 });
    });
  }

  /** Lines of a batch. */
  batch = 2;
  /** Batches that were carried out. */
  batches = 0;
  /** Awaited in each batch. */
  inBatch: () => Promise<void> = () => Promise.resolve();
  /** Called when a job on members is over, however it ended. */
  onJobEnd: () => void = () => undefined;
  /** Whether the records of members are kept; not for a million of them. */
  keepsMembers = true;

  async *changeMembers(
    request: MembersRequest,
    lines: AsyncIterable<MemberLine>,
  ): AsyncGenerator<MembersProgress, void, void> {
    this.#fail();
    this.asked.push(request);
    this.#cohort(request.cohort);
    let [changed, unchanged] = [0, 0];
    let batch: MemberLine[] = [];
    const carryOut = async (): Promise<MembersProgress> => {
      await this.inBatch();
      this.#fail();
      this.batches += 1;
      const refused = batch.filter(({ user }) => user.startsWith('refuse-me'));
      for (const { user } of batch) {
        if (user.startsWith('refuse-me')) continue;
        if (this.keepsMembers && this.#isMember(user, request)) unchanged += 1;
        else changed += 1;
        if (this.keepsMembers) this.#setMember(user, request);
      }
      const line = batch.at(-1)?.line ?? 0;
      batch = [];
      const why = refused.map((each) => ({ ...each, reason: 'wrote to new' }));
      return { line, changed, unchanged, refused: why, epoch: changed === 0 ? undefined : this.epoch };
    };
    try {
      for await (const line of lines) {
        batch.push(line);
        if (batch.length >= this.batch) yield await carryOut();
      }
      if (batch.length > 0) yield await carryOut();
    } finally {
      this.onJobEnd();
    }
  }

  #isMember(user: string, { cohort, action }: MembersRequest): boolean {
    const isIn = this.records.get(user)?.membership?.cohort === cohort;
    return isIn === (action === 'add');
  }

  #setMember(user: string, { cohort, action }: MembersRequest): void {
    const ordinal = this.records.size;
    const membership = action === 'add' ? ({ cohort, ordinal, by: 'explicit' } as const) : undefined;
    this.records.set(user, { ...ABSENT_RECORD, membership });
  }

  async *reassign(request: ReassignRequest): AsyncGenerator<MembersProgress, void, void> {
    this.#fail();
    this.asked.push(request);
    this.#cohort(request.cohort);
    for (let line = 2; line <= 4; line += 2) {
      await this.inBatch();
      yield { line, changed: line, unchanged: 0, refused: [], epoch: this.epoch };
    }
  }

  async members(cohort: string, after: string | undefined, limit: number) {
    this.#fail();
    return [...this.records]
      .filter(([, { membership }]) => membership?.cohort === cohort)
      .map(([user, record]) => ({ user, record }))
      .toSorted((a, b) => (a.user < b.user ? -1 : 1))
      .filter(({ user }) => after === undefined || user > after)
      .slice(0, limit);
  }

  async user(user: string): Promise<UserView> {
    this.#fail();
    const record = this.records.get(user) ?? ABSENT_RECORD;
    const at = new Date('2026-11-21T09:00:00Z');
    const history = [{ at, actor: 'the-operator', reason: 'r', kind: 'pin', epoch: 4 }];
    return { user, record, dirty: this.dirtyUsers.has(user), history };
  }

  async rebuild(author: Pick<ChangeAuthor, 'actor' | 'reason'>) {
    this.#fail();
    this.rebuilt.push(author);
    return { mapId: 'map-2', epoch: 1_000_000 };
  }

  /** One change of stage, in the phase of `next`. */
  begin(before: Cohort, request: StageRequest): Change {
    const after = { ...before, stage: request.stage, ramp: request.ramp ?? before.ramp };
    const change = this.#add({ ...request, kind: 'stage', before, after });
    if (change.phase === 'done') this.list.splice(this.list.indexOf(before), 1, after);
    return change;
  }

  async #change(request: Asked & ChangeAuthor, cohort: string | undefined, begin: () => Change) {
    this.#fail();
    this.asked.push(request);
    const { expectedEpoch, idempotencyKey } = request;
    const known = this.log.find((change) => change.idempotencyKey === idempotencyKey);
    if (known !== undefined) return known;
    const open = this.log.find((change) => change.cohort === cohort && !isOver(change.phase));
    if (open !== undefined) throw new ChangeConflictError(open.id);
    if (expectedEpoch !== undefined && expectedEpoch !== this.epoch) {
      throw new EpochMismatchError(expectedEpoch, this.epoch);
    }
    const change = begin();
    await this.slow;
    return this.log.find(({ id }) => id === change.id) ?? change;
  }

  #cohort(name: string): Cohort {
    const found = this.list.find((cohort) => cohort.name === name);
    if (found === undefined) throw new UnknownCohortError(name);
    return found;
  }

  #add({
    reason,
    actor,
    idempotencyKey,
    ...more
  }: Partial<Change> & Pick<Change, 'kind'> & ChangeAuthor): Change {
    const { phase, note } = this.next;
    const past = phase !== 'pending';
    const change: Change = {
      id: randomUUID(),
      kind: more.kind,
      cohort: more.cohort,
      before: more.before,
      after: more.after,
      user: more.user,
      pin: more.pin,
      users: more.users ?? 0,
      job: undefined,
      dirtyUsers: more.dirtyUsers ?? 'drain',
      dirty: more.dirty ?? 0,
      movesTruth: true,
      needsEveryGateway: more.before?.stage === 'off',
      phase,
      actor,
      reason,
      idempotencyKey,
      token: 1,
      restarts: 0,
      heartbeat: 0,
      holdEpoch: past ? 5 : undefined,
      switchEpoch: phase === 'done' || phase === 'releasing' ? 6 : undefined,
      releaseEpoch: phase === 'done' ? 7 : undefined,
      note,
      createdAt: new Date('2026-11-21T09:00:00Z'),
      endedAt: isOver(phase) ? new Date('2026-11-21T09:00:01Z') : undefined,
    };
    this.log.unshift(change);
    return change;
  }

  /** Moves the newest change on. */
  moveOn(more: Partial<Change>): void {
    const [newest] = this.log;
    if (newest !== undefined) this.log[0] = { ...newest, ...more };
  }

  async openChanges(): Promise<readonly Change[]> {
    this.#fail();
    return this.log.filter(({ phase }) => !isOver(phase)).toReversed();
  }

  async changes(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]> {
    this.#fail();
    const begin = before === undefined ? 0 : this.log.findIndex(({ id }) => id === before) + 1;
    const rest = this.log.slice(begin).filter((change) => cohort === undefined || change.cohort === cohort);
    return rest.slice(0, limit);
  }

  async change(id: string): Promise<Change | undefined> {
    this.#fail();
    return this.log.find((change) => change.id === id);
  }

  async dirtyOf(_change: string, after: string | undefined, limit: number): Promise<readonly string[]> {
    this.#fail();
    return [...this.dirtyUsers]
      .toSorted()
      .filter((user) => after === undefined || user > after)
      .slice(0, limit);
  }

  async gateways(): Promise<readonly GatewayView[]> {
    this.#fail();
    return this.gatewayViews;
  }

  async evictGateway(id: string, author?: Pick<ChangeAuthor, 'actor' | 'reason'>): Promise<boolean> {
    this.#fail();
    this.evicted.push(id);
    this.evictedBy.push(author);
    return true;
  }

  async cohorts(): Promise<readonly Cohort[]> {
    this.#fail();
    return this.list;
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
