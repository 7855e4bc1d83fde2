/**
 * A record on a real server, a control service that makes its changes at once or as it is told to, and engines over
 * them whose slots and judgements the test sets.
 */
import { pino } from 'pino';
import type { Test } from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import { wantedRollback, wantedStage } from '../../src/cutover/cohort-requests.ts';
import { ChangeRefusedError, type Control, type StageRequest } from '../../src/cutover/control.ts';
import { isSameRamp } from '../../src/decision/ramp.ts';
import type { Condition, Judgement, Verdict } from '../../src/guard/condition.ts';
import { GuardEngine, type GuardOptions } from '../../src/guard/guard-engine.ts';
import { type GuardSettings, guardSettings, type HookSettings } from '../../src/guard/guard-settings.ts';
import type { Slot } from '../../src/guard/slot.ts';
import type { Cohort, Ramp, Stage } from '../../src/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { within } from '../harness/within.ts';
import { changeCohort, newChange } from '../storage/change-contract.ts';
import { CONDITION, FIGURES } from '../storage/guard-contract.ts';

/** What a change of the scripted control comes to. */
export type Fate = 'done' | 'undone' | 'open' | Error;

export class ScriptedControl implements Pick<Control, 'rollback' | 'changeStage'> {
  /** Of the next changes, one after the other; `done` when there is none left. */
  readonly fates: Fate[] = [];
  readonly keys: string[] = [];
  readonly #record: RecordStore;

  constructor(record: RecordStore) {
    this.#record = record;
  }

  rollback(request: Parameters<Control['rollback']>[0]): Promise<Change> {
    return this.#make(request, (cohorts) => wantedRollback(cohorts, request).cohorts, 'rollback');
  }

  changeStage(request: StageRequest): Promise<Change> {
    return this.#make(request, (cohorts) => wantedStage(cohorts, request).cohorts, 'stage');
  }

  async #make(
    { cohort, actor, reason, idempotencyKey }: Parameters<Control['rollback']>[0] | StageRequest,
    want: (cohorts: readonly Cohort[]) => readonly Cohort[],
    kind: 'rollback' | 'stage',
  ): Promise<Change> {
    const { changes } = this.#record;
    const known = idempotencyKey === undefined ? undefined : await changes.changeOfKey(idempotencyKey);
    if (known !== undefined) return known;
    const judged = (await this.#record.readCohorts()).flatMap((each) => (each.deleted ? [] : [each.cohort]));
    const after = want(judged).find(({ name }) => name === cohort);
    if (after === undefined) throw new ChangeRefusedError('no cohort');
    const fate = this.fates.shift() ?? 'done';
    if (fate instanceof Error) throw fate;
    this.keys.push(idempotencyKey ?? '');
    const wish = newChange(cohort, { kind, after, actor, reason, idempotencyKey, judged, movesTruth: false });
    const change = await changes.openChange(wish);
    switch (fate) {
      case 'done':
        await changes.moveChange(change.id, 1, 'pending', 'switching');
        return changes.moveChange(change.id, 1, 'switching', 'done', { switchEpoch: 1 });
      case 'undone':
        return changes.moveChange(change.id, 1, 'pending', 'undone', { note: 'writes are still in flight' });
      case 'open':
        return change;
      default: {
        const unknown: never = fate;
        return unknown;
      }
    }
  }
}

export function emptySlot(second: number): Slot {
  const side = () => ({ byGroup: new Map(), byGateway: new Map(), kinds: {} });
  return { second, legacy: side(), new: side(), mirrorBacklog: undefined };
}

/** One second in which reads were compared. */
export function comparedSlot(second: number, compared: number, mismatched: number): Slot {
  const counts = { requests: 0, failed: 0, stalled: 0, late: 0, compared, mismatched, latency: new Map() };
  const side = { byGroup: new Map([[0, counts]]), byGateway: new Map([['a', counts]]), kinds: {} };
  return { ...emptySlot(second), new: side };
}

export interface World {
  readonly record: RecordStore;
  readonly control: ScriptedControl;
}

export async function startWorld(t: Test): Promise<World> {
  const server = await startPostgres(t);
  const log = pino({ level: 'silent' });
  const record = await createRecord(
    { kind: 'postgres', url: server.url, poolMax: 8, statementMs: 2_000 },
    log,
  );
  t.teardown(() => record.close());
  await record.createMap();
  return { record, control: new ScriptedControl(record) };
}

let cohorts = 0;

/** A cohort of its own, and what its engines are told of it. */
export class GuardedCohort {
  readonly name = `cohort-${cohorts++}`;
  readonly world: World;
  verdict: Verdict = 'healthy';
  conditions: readonly Condition[] = [CONDITION];
  hooks: readonly HookSettings[] = [];
  cooldownMs = 600_000;
  second = 1_000;
  slots: Slot[] = [];
  /** Of the engines' clock. */
  nowMs = 0;

  private constructor(world: World) {
    this.world = world;
  }

  static async create(world: World, over: Partial<Cohort> = {}): Promise<GuardedCohort> {
    const guarded = new GuardedCohort(world);
    const era = { number: 1, tracked: true };
    await world.record.seedCohorts([changeCohort(guarded.name, { stage: 'live', era, ...over })]);
    return guarded;
  }

  /** An engine of its own, as of another host. Looks after this cohort alone. */
  engine(t: Test, over: Partial<GuardOptions> = {}): GuardEngine {
    const { record, control } = this.world;
    const mine = <T extends { readonly cohort: string }>(rows: readonly T[]): readonly T[] =>
      rows.filter(({ cohort }) => cohort === this.name);
    const engine = new GuardEngine({
      store: {
        ...record.guard,
        guardCohorts: async () =>
          (await record.guard.guardCohorts()).filter(({ cohort }) => cohort.name === this.name),
        openTrips: async () => mine(await record.guard.openTrips()),
        openRamps: async () => mine(await record.guard.openRamps()),
      },
      control,
      feed: { read: async () => [], onBadNews: () => () => undefined },
      book: { add: () => undefined, nowSecond: () => this.second, slots: () => this.slots },
      judge: (conditions) => conditions.map((condition) => this.#judgement(condition)),
      settings: () => this.#settings(),
      dryRun: () => Promise.reject(new Error('no slots')),
      post: () => Promise.reject(new Error('no hooks')),
      log: pino({ level: 'silent' }),
      now: () => this.nowMs,
      ...over,
      timing: { tickMs: 5, takeOverMs: 0, ...over.timing },
    });
    t.teardown(() => engine.close());
    return engine;
  }

  #judgement(condition: Condition): Judgement {
    const path = this.verdict === 'tripped' ? 'overwhelming' : undefined;
    return { condition, verdict: this.verdict, path, figures: FIGURES };
  }

  #settings(): GuardSettings {
    const short = { windowMs: 30_000, errorRate: 0.05, meanLatencyMs: 1_000, minRequests: 50 };
    const { conditions, hooks, cooldownMs } = this;
    return guardSettings({ ...short, action: 'rollback', conditions, hooks, cooldownMs });
  }

  async cohort(): Promise<Cohort> {
    const found = (await this.world.record.readCohorts()).find(({ cohort }) => cohort.name === this.name);
    if (found === undefined) throw new Error('no cohort');
    return found.cohort;
  }

  /** As an operator does. */
  async set(stage: Stage, ramp: Ramp): Promise<void> {
    await this.world.control.changeStage({
      cohort: this.name,
      stage,
      ramp,
      dirtyUsers: 'drain',
      actor: 'ops',
      reason: 'test',
      expectedEpoch: undefined,
      idempotencyKey: undefined,
    });
  }

  async isAt(stage: Stage, ramp: Ramp): Promise<boolean> {
    const cohort = await this.cohort();
    return cohort.stage === stage && isSameRamp(cohort.ramp, ramp);
  }

  /** Resolves with the first answer that is none of `undefined` and `false`, asked after each of the engine's ticks. */
  async until<T>(engine: GuardEngine, what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
    const found = async (): Promise<T> => {
      for (;;) {
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
        await new Promise<void>((resolve) => {
          const stop = engine.onTick(() => {
            stop();
            resolve();
          });
        });
      }
    };
    return within(found(), what, 15_000);
  }

  /** After this many ticks everything that is judged now has been acted on. */
  async ticks(engine: GuardEngine, count = 3): Promise<void> {
    let left = count;
    await this.until(engine, 'ticks', async () => left-- <= 0);
  }
}
