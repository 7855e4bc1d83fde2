/** Gateways, stores and a clock in memory, in which controllers run, stop and are taken over. */
import { pino } from 'pino';
import type { Change } from '../../src/cutover/change.ts';
import type { ControllerPolicy } from '../../src/cutover/change-steps.ts';
import type { DirtyPolicy } from '../../src/cutover/control.ts';
import { Controller } from '../../src/cutover/controller.ts';
import { GatewayWatch } from '../../src/cutover/gateway-watch.ts';
import { movesTruth, needsEveryGateway } from '../../src/cutover/moves-truth.ts';
import { Recovery } from '../../src/cutover/recovery.ts';
import type { ChangeStore, ControlMap, NewChange } from '../../src/cutover/stores.ts';
import { StrandedUsers } from '../../src/cutover/stranded-users.ts';
import type { Cohort } from '../../src/model.ts';
import { cohort } from '../decision/fixtures.ts';
import { MemoryChanges, MemoryControlMap, MemoryMarks } from './memory-stores.ts';

export const FENCE_MS = 10_000;
const WRITE_MAX_MS = 5_000;

export const POLICY: ControllerPolicy = {
  drainMaxMs: () => 3_000,
  pendingMaxMs: 60_000,
  retryMaxMs: 30_000,
  undoMaxMs: 12_500,
  pollMs: 100,
  beatMs: 500,
};

/** A gateway as its lease shows it. */
export class FakeGateway {
  readonly id: string;
  digest = 'same';
  /** It neither applies nor renews anything. */
  stopped = false;
  /** Has a write in flight that was decided before any hold. */
  busy = false;
  /** All its writes are by users who are known to have written to `new`. */
  keeping = false;
  #counter = 0;
  readonly #map: MemoryControlMap;

  constructor(id: string, map: MemoryControlMap) {
    this.id = id;
    this.#map = map;
  }

  tick(): void {
    if (this.stopped) return;
    const { epoch, cohortHolds, userHolds } = this.#map.snapshot;
    const holds = [...cohortHolds.values(), ...userHolds.values()].map((hold) => hold.epoch - 1);
    this.#counter += 1;
    this.#map.current.set(this.id, {
      gateway: this.id,
      counter: this.#counter,
      applied: epoch,
      drained: this.busy || this.keeping ? Math.min(epoch, ...holds) : epoch,
      settled: this.busy ? Math.min(epoch, ...holds) : epoch,
      digest: this.digest,
    });
  }
}

/** Every call of a controller passes through here, so that it can be stopped before or after any of them. */
export class Gate {
  readonly calls: string[] = [];
  /** The call, counted from 0, at which the controller stops. */
  stopAt = Infinity;
  /** Whether that call still takes effect. */
  after = false;
  #resume = Promise.withResolvers<void>();

  /** The controller continues where it stopped. */
  resume(): void {
    this.stopAt = Infinity;
    this.#resume.resolve();
  }

  get stopped(): boolean {
    return this.calls.length > this.stopAt;
  }

  async pass<T>(name: string, call: () => Promise<T>): Promise<T> {
    const stops = this.calls.length >= this.stopAt;
    this.calls.push(name);
    if (!stops) return call();
    if (!this.after) {
      await this.#resume.promise;
      return call();
    }
    const result = await call();
    await this.#resume.promise;
    return result;
  }
}

function gatedStore(store: ChangeStore, gate: Gate): ChangeStore {
  return {
    openChange: (change) => store.openChange(change),
    moveChange: (id, token, from, to, patch, stranding) =>
      gate.pass(`move to ${to}`, () => store.moveChange(id, token, from, to, patch, stranding)),
    claimsOf: (id) => store.claimsOf(id),
    definitionsOf: (id) => store.definitionsOf(id),
    usersOf: (id, after, limit) => store.usersOf(id, after, limit),
    dirtyOf: (id, after, limit) => store.dirtyOf(id, after, limit),
    changeOfKey: (key) => store.changeOfKey(key),
    noteAction: (action, subject, author) => store.noteAction(action, subject, author),
    beatChange: (id, token, patch) => gate.pass('beat', () => store.beatChange(id, token, patch)),
    takeChange: (id, heartbeat) => store.takeChange(id, heartbeat),
    readChange: (id) => store.readChange(id),
    openChanges: () => store.openChanges(),
    listChanges: (before, limit, name) => store.listChanges(before, limit, name),
    registerGateway: (id, where) => store.registerGateway(id, where),
    deregisterGateway: (id) => store.deregisterGateway(id),
    registeredGateways: () => store.registeredGateways(),
  };
}

function gatedMap(map: ControlMap, gate: Gate): ControlMap {
  return {
    claim: (id, token) => gate.pass('claim', () => map.claim(id, token)),
    hold: (id, token, what) => gate.pass('hold', () => map.hold(id, token, what)),
    putUsers: (id, token, users) => gate.pass('put users', () => map.putUsers(id, token, users)),
    switchTo: (id, token, next) => gate.pass('switch', () => map.switchTo(id, token, next)),
    release: (id, token) => gate.pass('release', () => map.release(id, token)),
    forget: (id) => gate.pass('forget', () => map.forget(id)),
    leases: () => map.leases(),
    renewLease: (lease) => map.renewLease(lease),
    dropLease: (id) => map.dropLease(id),
    epoch: () => map.epoch(),
    rebuild: () => map.rebuild(),
  };
}

export class World {
  readonly store: MemoryChanges;
  readonly map: MemoryControlMap;
  readonly marks: MemoryMarks;
  readonly gateways: FakeGateway[] = [];
  readonly watch: GatewayWatch;
  nowMs = 0;
  /** Called each time that time passes. */
  onSleep: () => void = () => {};

  private constructor(cohorts: readonly Cohort[]) {
    this.store = new MemoryChanges(cohorts);
    this.map = new MemoryControlMap(cohorts);
    this.marks = new MemoryMarks(this.store);
    this.watch = this.#newWatch();
  }

  #newWatch(): GatewayWatch {
    const policy = { selfFenceAfterMs: FENCE_MS, writeMaxMs: WRITE_MAX_MS };
    return new GatewayWatch(this.store, this.map, policy, () => this.nowMs);
  }

  /** With gateways `a` and `b`, both known to be alive, and one cohort. */
  static async start(first: Partial<Cohort> = {}): Promise<World> {
    const world = new World([cohort({ name: 'movers', ...first })]);
    for (const id of ['a', 'b']) await world.join(id);
    await world.settle(200);
    return world;
  }

  async join(id: string): Promise<FakeGateway> {
    const gateway = new FakeGateway(id, this.map);
    this.gateways.push(gateway);
    await this.store.registerGateway(id, `host of ${id}`);
    gateway.tick();
    return gateway;
  }

  gateway(id: string): FakeGateway {
    const found = this.gateways.find((each) => each.id === id);
    if (found === undefined) throw new Error(`no gateway ${id}`);
    return found;
  }

  /** Time passes, and gateways that are not stopped say so. */
  async sleep(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const gateway of this.gateways) gateway.tick();
    this.onSleep();
    // Whoever waits for something in memory gets on first.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass and watches the leases meanwhile. */
  async settle(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await this.watch.ask();
      await this.sleep(100);
    }
    await this.watch.ask();
  }

  controller(gate = new Gate()): Controller {
    return new Controller({
      store: gatedStore(this.store, gate),
      map: gatedMap(this.map, gate),
      strander: new StrandedUsers({
        users: this.store,
        marks: this.marks,
        readCohorts: async () => [...this.store.cohorts.values()],
      }),
      gateways: this.watch,
      policy: POLICY,
      log: pino({ level: 'silent' }),
      now: () => this.nowMs,
      sleep: (ms) => this.sleep(ms),
    });
  }

  async open(next: Partial<Cohort>, id = 'change-1', dirtyUsers: DirtyPolicy = 'keep'): Promise<Change> {
    const before = this.store.cohorts.get('movers');
    if (before === undefined) throw new Error('no cohort');
    const after = { ...before, ...next };
    return this.store.openChange({
      id,
      kind: 'stage',
      cohort: 'movers',
      after,
      actor: 'test',
      reason: 'test',
      idempotencyKey: undefined,
      dirtyUsers,
      claims: { held: ['movers'], own: [], shared: [], users: [] },
      judged: [before],
      movesTruth: movesTruth(before, after),
      needsEveryGateway: needsEveryGateway(before, after),
    });
  }

  /** A change of users: `movesTruth` says whether they are held. */
  async openUsers(over: Partial<NewChange>, id = 'change-1'): Promise<Change> {
    return this.store.openChange({
      id,
      kind: 'pin',
      cohort: undefined,
      actor: 'test',
      reason: 'test',
      idempotencyKey: undefined,
      dirtyUsers: 'keep',
      movesTruth: true,
      needsEveryGateway: true,
      pin: 'new',
      user: 'nina',
      claims: { held: [], own: [], shared: [], users: ['nina'] },
      judged: [],
      ...over,
    });
  }

  /** Another process notices that a change stands still, and runs it. Fails when nobody takes it in time. */
  async recover(): Promise<Change> {
    const recovery = new Recovery(this.store, 3_000, () => this.nowMs);
    for (let tries = 0; tries < 20; tries += 1) {
      const [taken] = await recovery.poll(() => false);
      if (taken !== undefined) return this.controller().run(taken, true);
      await this.settle(500);
    }
    throw new Error('nobody took the change over');
  }

  get stage(): string {
    return this.map.snapshot.cohortByName.get('movers')?.stage ?? 'none';
  }

  get holds(): number {
    return this.map.snapshot.cohortHolds.size + this.map.snapshot.userHolds.size;
  }
}
