/** A control service in memory: its changes stay in the phase that the test gives them. */
import { randomUUID } from 'node:crypto';
import { type Change, isOver, type Phase } from '../../src/cutover/change.ts';
import {
  type Control,
  EpochMismatchError,
  type GatewayView,
  type StageRequest,
  UnknownCohortError,
} from '../../src/cutover/control.ts';
import { ChangeConflictError } from '../../src/cutover/stores.ts';
import type { Cohort, Ramp, Stage } from '../../src/model.ts';

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

export class FakeControl implements Omit<Control, 'close'> {
  readonly list: Cohort[] = [
    cohortNamed('staff', 'live'),
    cohortNamed('beta', 'shadow', { ramp: { kind: 'percent', buckets: 5_000 } }),
    cohortNamed('everyone', 'off', { isDefault: true }),
  ];
  members: GatewayView[] = [gatewayView('g1'), gatewayView('g2')];
  epoch = 4;
  /** Newest first. */
  readonly log: Change[] = [];
  readonly asked: StageRequest[] = [];
  /** What the next changes become at once. */
  next: { phase: Phase; note?: string } = { phase: 'done' };
  /** Every call fails with it. */
  failure: Error | undefined;
  /** A change is returned only once the promise resolves. */
  slow: Promise<void> = Promise.resolve();
  readonly evicted: string[] = [];

  async changeStage(request: StageRequest): Promise<Change> {
    this.#fail();
    this.asked.push(request);
    const known = this.log.find(({ idempotencyKey }) => idempotencyKey === request.idempotencyKey);
    if (known !== undefined) return known;
    const before = this.list.find(({ name }) => name === request.cohort);
    if (before === undefined) throw new UnknownCohortError(request.cohort);
    const open = this.log.find(({ cohort, phase }) => cohort === request.cohort && !isOver(phase));
    if (open !== undefined) throw new ChangeConflictError(open.id);
    const { expectedEpoch } = request;
    if (expectedEpoch !== undefined && expectedEpoch !== this.epoch) {
      throw new EpochMismatchError(expectedEpoch, this.epoch);
    }
    const change = this.begin(before, request);
    await this.slow;
    return this.log.find(({ id }) => id === change.id) ?? change;
  }

  begin(before: Cohort, request: StageRequest): Change {
    const { phase, note } = this.next;
    const after = { ...before, stage: request.stage, ramp: request.ramp ?? before.ramp };
    const past = phase !== 'pending';
    const change: Change = {
      id: randomUUID(),
      kind: 'stage',
      cohort: before.name,
      before,
      after,
      movesTruth: true,
      needsEveryGateway: before.stage === 'off',
      phase,
      actor: request.actor,
      reason: request.reason,
      idempotencyKey: request.idempotencyKey,
      token: 1,
      heartbeat: 0,
      holdEpoch: past ? 5 : undefined,
      switchEpoch: phase === 'done' || phase === 'releasing' ? 6 : undefined,
      releaseEpoch: phase === 'done' ? 7 : undefined,
      note,
      createdAt: new Date('2026-11-21T09:00:00Z'),
      endedAt: isOver(phase) ? new Date('2026-11-21T09:00:01Z') : undefined,
    };
    this.log.unshift(change);
    if (phase === 'done') this.list.splice(this.list.indexOf(before), 1, after);
    return change;
  }

  /** Moves the newest change on. */
  moveOn(more: Partial<Change>): void {
    const [newest] = this.log;
    if (newest !== undefined) this.log[0] = { ...newest, ...more };
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

  async gateways(): Promise<readonly GatewayView[]> {
    this.#fail();
    return this.members;
  }

  async evictGateway(id: string): Promise<boolean> {
    this.#fail();
    this.evicted.push(id);
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
