/** The control service: begins changes, runs them, and finishes or undoes those whose process vanished. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cohort } from '../model.ts';
import { type Change, isOver } from './change.ts';
import {
  type Control,
  EpochMismatchError,
  type GatewayView,
  type StageRequest,
  UnknownCohortError,
} from './control.ts';
import { Controller, ControllerClosedError, type ControllerPolicy } from './controller.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { fenceMarginMs } from './lease-watch.ts';
import { movesTruth, needsEveryGateway } from './moves-truth.ts';
import { Recovery } from './recovery.ts';
import { ChangeLostError, type ChangeStore, type ControlMap } from './stores.ts';

export interface ControlOptions {
  readonly store: ChangeStore;
  readonly map: ControlMap;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
  /** `cutover.drainMaxMs`, as it is when a hold begins. */
  readonly drainMaxMs: () => number;
  readonly selfFenceAfterMs: number;
  /** How long a write may take whose last piece was sent: the longest deadline of a backend. */
  readonly writeMaxMs: number;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  readonly timing?: Partial<ControlTiming>;
}

export interface ControlTiming extends Omit<ControllerPolicy, 'drainMaxMs'> {
  /** How long the heartbeat of another process's change may stand still. */
  readonly controllerSilentMs: number;
  /** How long a caller waits for a change that waits for gateways, and for one that goes on. */
  readonly pendingAnswerMs: number;
  readonly answerMaxMs: number;
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

const IDEMPOTENCY_LOOKBACK = 500;

class ControlService implements Control {
  readonly #options: ControlOptions;
  readonly #timing: ControlTiming;
  readonly #now: () => number;
  readonly #gateways: GatewayWatch;
  readonly #controller: Controller;
  readonly #recovery: Recovery;
  /** Changes that run here, and their ends. A run never rejects. */
  readonly #running = new Map<string, Promise<Change | undefined>>();
  readonly #stop = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(options: ControlOptions) {
    const { store, map, log, drainMaxMs, selfFenceAfterMs, writeMaxMs } = options;
    this.#options = options;
    this.#timing = timingOf(options);
    this.#now = options.now ?? (() => performance.now());
    this.#gateways = new GatewayWatch(store, map, { selfFenceAfterMs, writeMaxMs }, this.#now);
    this.#controller = new Controller({
      store,
      map,
      gateways: this.#gateways,
      policy: { ...this.#timing, drainMaxMs },
      log,
      now: this.#now,
      sleep: (ms) => this.#sleep(ms),
    });
    this.#recovery = new Recovery(store, this.#timing.controllerSilentMs, this.#now);
    this.#loops = [
      // Always, so that who is alive is known when a change begins.
      this.#every(Math.max(20, selfFenceAfterMs / 16), () => this.#gateways.ask()),
      this.#every(this.#timing.controllerSilentMs / 6, () => this.#recover()),
    ];
  }

  /** Until the service is closed; a failure is tried again the next time. */
  async #every(ms: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await work().catch(() => undefined);
      await this.#sleep(ms);
    }
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #recover(): Promise<void> {
    for (const change of await this.#recovery.poll((id) => this.#running.has(id))) {
      const { id, cohort, phase } = change;
      const event = { event: 'change_recovered', change: id, cohort, phase };
      this.#options.log.warn(event, 'a change whose process vanished is taken over');
      this.#run(change, true);
    }
  }

  #run(change: Change, taken = false): void {
    const { id, cohort } = change;
    if (this.#running.has(id)) return;
    const running = this.#controller
      .run(change, taken)
      .catch((err: unknown) => {
        if (err instanceof ControllerClosedError || err instanceof ChangeLostError) return undefined;
        const event = { event: 'change_stuck', change: id, cohort, err };
        this.#options.log.error(event, 'a change could not go on; it will be taken up again');
        return undefined;
      })
      .finally(() => this.#running.delete(id));
    this.#running.set(id, running);
  }

  async changeStage(request: StageRequest): Promise<Change> {
    const { store, readCohorts } = this.#options;
    const { stage, ramp, cohort: name, ...rest } = request;
    const before = (await readCohorts()).find((each) => each.name === name);
    if (before === undefined) throw new UnknownCohortError(name);
    const known = await this.#refuseOtherEpoch(request);
    if (known !== undefined) return this.#outcome(known);
    const after: Cohort = { ...before, stage, ramp: ramp ?? before.ramp };
    const id = randomUUID();
    const change = await store.openChange({
      ...rest,
      id,
      kind: 'stage',
      cohort: name,
      after,
      movesTruth: movesTruth(before, after),
      needsEveryGateway: needsEveryGateway(before, after),
    });
    // Another id: the idempotency key has begun it before.
    if (change.id === id) this.#run(change);
    return this.#outcome(change);
  }

  /** A repeated request is answered with what the first one began, however far the map has moved since. */
  async #refuseOtherEpoch({
    cohort,
    expectedEpoch,
    idempotencyKey,
  }: StageRequest): Promise<Change | undefined> {
    if (expectedEpoch === undefined) return undefined;
    const epoch = await this.#options.map.epoch();
    if (epoch === expectedEpoch) return undefined;
    if (idempotencyKey !== undefined) {
      const begun = await this.#options.store.listChanges(undefined, IDEMPOTENCY_LOOKBACK, cohort);
      const known = begun.find((each) => each.idempotencyKey === idempotencyKey);
      if (known !== undefined) return known;
    }
    throw new EpochMismatchError(expectedEpoch, epoch);
  }

  /** The change when it is over, or as far as it is when the caller has waited for long enough. */
  async #outcome(begun: Change): Promise<Change> {
    if (isOver(begun.phase)) return begun;
    const sinceMs = this.#now();
    for (;;) {
      // Its end wakes us; a look at the record now and then tells whether it is still pending.
      const ended = this.#running.get(begun.id);
      const pauseMs = Math.min(100, this.#timing.pendingAnswerMs);
      const over = await Promise.race([ended, this.#sleep(pauseMs)]);
      if (over !== undefined) return over;
      const change = (await this.#options.store.readChange(begun.id)) ?? begun;
      const waitedMs = this.#now() - sinceMs;
      const enough = change.phase === 'pending' ? this.#timing.pendingAnswerMs : this.#timing.answerMaxMs;
      if (isOver(change.phase) || waitedMs >= enough || this.#stop.signal.aborted) return change;
      // It ended here without an outcome: left to whoever recovers it.
      if (ended === undefined) await this.#sleep(pauseMs);
    }
  }

  changes(before: string | undefined, limit: number, cohort?: string): Promise<readonly Change[]> {
    return this.#options.store.listChanges(before, limit, cohort);
  }

  change(id: string): Promise<Change | undefined> {
    return this.#options.store.readChange(id);
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

  async evictGateway(id: string): Promise<boolean> {
    const { store, map } = this.#options;
    const known = (await this.#gateways.ask()).some((each) => each.id === id);
    if (!known) return false;
    await map.dropLease(id);
    await store.deregisterGateway(id);
    return true;
  }

  cohorts(): Promise<readonly Cohort[]> {
    return this.#options.readCohorts();
  }

  async close(): Promise<void> {
    // What can end soon ends here; the rest would leave writes held until somebody recovers it.
    const graceMs = this.#options.drainMaxMs() + 500;
    await Promise.race([
      Promise.all(this.#running.values()),
      delay(graceMs, undefined, { signal: this.#stop.signal }),
    ]);
    this.#stop.abort();
    this.#controller.close();
    await Promise.all([...this.#loops, ...this.#running.values()]);
  }
}

/** Starts to watch the gateways and to recover changes at once. Close it before its stores. */
export function createControl(options: ControlOptions): Control {
  return new ControlService(options);
}
