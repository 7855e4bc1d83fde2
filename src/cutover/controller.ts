/**
 * Runs a change through its phases. ARCHITECTURE.md, section 'The barrier', has the protocol and every crash point.
 *
 * | phase       | what is done                     | then waits until            | and goes to             |
 * | ----------- | -------------------------------- | --------------------------- | ----------------------- |
 * | `pending`   |                                  | all gateways are ready      | holding, or switching   |
 * | `holding`   | the hold, epoch e                | all have drained e          | switching               |
 * | `switching` | the new definition, epoch e+1    | all have applied it         | releasing, or done      |
 * | `releasing` | the hold is taken away, e+2      | all have applied it         | done                    |
 * | `undoing`   | the hold is taken away           | those that answer have      | undone                  |
 *
 * `pending` and `holding` are bounded and end in `undoing`. From `switching` on there is only forward; those waits
 * end because a gateway that does not answer fences itself. Whatever a controller leaves behind, because it
 * died or a store did not answer for too long, is taken over by `Recovery`.
 */
import type { Logger } from 'pino';
import { type Change, isOver, type Phase } from './change.ts';
import { unapplied, unappliedByAny, unappliedByLive, undrained, unready } from './conditions.ts';
import type { GatewayWatch } from './gateway-watch.ts';
import type { WatchedGateway } from './lease-watch.ts';
import { movesTruth, needsEveryGateway } from './moves-truth.ts';
import { ChangeLostError, type ChangePatch, type ChangeStore, type ControlMap } from './stores.ts';

export interface ControllerPolicy {
  /** `cutover.drainMaxMs`. */
  readonly drainMaxMs: () => number;
  /** How long a change may wait for gateways before anybody is held. */
  readonly pendingMaxMs: number;
  /** How long a step is tried again while a store does not answer; then the change is left to recovery. */
  readonly retryMaxMs: number;
  /** How long an undone change waits for the gateways that answer. */
  readonly undoMaxMs: number;
  /** Between two looks at the leases. */
  readonly pollMs: number;
  /** Between two heartbeats; well below `controllerSilentMs`. */
  readonly beatMs: number;
}

export interface ControllerOptions {
  readonly store: ChangeStore;
  readonly map: ControlMap;
  readonly gateways: Pick<GatewayWatch, 'ask' | 'askLeases'>;
  readonly policy: ControllerPolicy;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The controller was closed with changes open. */
export class ControllerClosedError extends Error {
  override readonly name = 'ControllerClosedError';
}

type Waits = (gateways: readonly WatchedGateway[]) => string | undefined;

export class Controller {
  readonly #options: ControllerOptions;
  /** By change, when its heartbeat was last raised. */
  readonly #beaten = new Map<string, number>();
  #closed = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Runs a change until it is over.
   *
   * @param taken it was another controller's, which vanished: before the point of no return it is undone
   * @throws ChangeLostError when another controller has it now; ControllerClosedError; a store's own error when it
   *   did not answer for `retryMaxMs`
   */
  async run(first: Change, taken = false): Promise<Change> {
    const { map, log, now, policy } = this.#options;
    const { id, token, cohort } = first;
    let change = first;
    this.#beaten.set(id, now());
    try {
      await this.#insist(change, policy.retryMaxMs, () => map.claim(id, token));
      if (taken && (change.phase === 'pending' || change.phase === 'holding')) {
        change = await this.#undo(change, `the process that ran it vanished while it was ${change.phase}`);
      }
      while (!isOver(change.phase)) {
        log.debug({ event: 'change_moved', change: id, cohort, phase: change.phase }, 'a change goes on');
        change = await this.#step(change);
      }
      const event = { event: 'change_over', change: id, cohort, phase: change.phase, note: change.note };
      log.info(event, 'a change is over');
      // What is left of it in the map does no harm.
      await map.forget(id).catch(() => undefined);
      return change;
    } finally {
      this.#beaten.delete(id);
    }
  }

  #step(change: Change): Promise<Change> {
    switch (change.phase) {
      case 'pending':
        return this.#prepare(change);
      case 'holding':
        return this.#hold(change);
      case 'switching':
        return this.#switch(change);
      case 'releasing':
        return this.#release(change);
      case 'undoing':
        return this.#giveBack(change);
      case 'done':
      case 'undone':
        return Promise.resolve(change);
      default: {
        const never: never = change.phase;
        return never;
      }
    }
  }

  async #prepare(change: Change): Promise<Change> {
    if (!isAsJudged(change)) return this.#undo(change, 'the cohort was changed by somebody else meanwhile');
    const { pendingMaxMs } = this.#options.policy;
    const why = await this.#until(change, pendingMaxMs, (gateways) => unready(change, gateways));
    if (why !== undefined) return this.#undo(change, why);
    return this.#move(change, change.movesTruth ? 'holding' : 'switching');
  }

  async #hold(change: Change): Promise<Change> {
    const { map, now, policy } = this.#options;
    const beganAt = now();
    const drainMaxMs = policy.drainMaxMs();
    let epoch: number;
    try {
      epoch = await this.#insist(change, drainMaxMs, () => map.hold(change.id, change.token, change.cohort));
    } catch (error) {
      if (isFinal(error)) throw error;
      return this.#undo(change, `the hold could not be set: ${inWords(error)}`);
    }
    const leftMs = drainMaxMs - (now() - beganAt);
    const why = await this.#until(change, leftMs, (gateways) => undrained(change, epoch, gateways), {
      holdEpoch: epoch,
    });
    if (why !== undefined) return this.#undo(change, why, { holdEpoch: epoch });
    return this.#move(change, 'switching', { holdEpoch: epoch });
  }

  async #switch(change: Change): Promise<Change> {
    const { map } = this.#options;
    const everyone = change.needsEveryGateway && !change.movesTruth;
    const switchEpoch = await this.#untilInForce(
      change,
      () => map.switchCohort(change.id, change.token, change.after),
      everyone ? unappliedByAny : unapplied,
      (epoch) => ({ switchEpoch: epoch }),
    );
    if (change.movesTruth) return this.#move(change, 'releasing', { switchEpoch });
    return this.#move(change, 'done', { switchEpoch, note: inForce(switchEpoch) });
  }

  async #release(change: Change): Promise<Change> {
    const { map } = this.#options;
    const releaseEpoch = await this.#untilInForce(
      change,
      () => map.release(change.id, change.token),
      unapplied,
      (epoch) => ({ releaseEpoch: epoch }),
    );
    return this.#move(change, 'done', { releaseEpoch, note: inForce(releaseEpoch) });
  }

  /**
   * Takes a step of the map and waits until its epoch is applied. A map that failed over meanwhile may have lost the
   * step and given its epoch to another change: so the step is repeated, which changes nothing in a map that has it,
   * and another epoch has to be waited for again.
   *
   * @returns the epoch
   */
  async #untilInForce(
    change: Change,
    step: () => Promise<number>,
    waits: (epoch: number, gateways: readonly WatchedGateway[]) => string | undefined,
    patch: (epoch: number) => ChangePatch,
  ): Promise<number> {
    const { retryMaxMs } = this.#options.policy;
    let epoch = await this.#insist(change, retryMaxMs, step);
    for (;;) {
      const awaited = epoch;
      await this.#until(change, Infinity, (gateways) => waits(awaited, gateways), patch(awaited));
      epoch = await this.#insist(change, retryMaxMs, step);
      if (epoch === awaited) return epoch;
    }
  }

  #undo(change: Change, note: string, patch: ChangePatch = {}): Promise<Change> {
    return this.#move(change, 'undoing', { ...patch, note });
  }

  async #giveBack(change: Change): Promise<Change> {
    const { map, policy } = this.#options;
    const releaseEpoch = await this.#insist(change, policy.retryMaxMs, () =>
      map.release(change.id, change.token),
    );
    // Without a note of its own: the one that says why it was undone stays.
    await this.#until(change, policy.undoMaxMs, (gateways) => unappliedByLive(releaseEpoch, gateways));
    return this.#move(change, 'undone', { releaseEpoch });
  }

  /**
   * Waits, with a heartbeat, until nobody has to be waited for.
   *
   * @param patch noted in the record with the next heartbeat
   * @returns for whom it waited when the time was over
   */
  async #until(
    change: Change,
    boundMs: number,
    waits: Waits,
    patch?: ChangePatch,
  ): Promise<string | undefined> {
    const { now, sleep, policy } = this.#options;
    const beganAt = now();
    let noted = patch;
    // Whoever asked for a change that is pending is soon told for whom it waits. Later phases hold writes.
    let atOnce = change.phase === 'pending';
    for (;;) {
      this.#expectOpen();
      const why = await this.#look(waits);
      if (why === undefined) return undefined;
      if (now() - beganAt >= boundMs) return why;
      if (change.phase !== 'undoing') noted = { ...noted, note: why };
      if (await this.#beat(change, noted, atOnce)) noted = undefined;
      atOnce = false;
      await sleep(policy.pollMs);
    }
  }

  /** Acts on the registry only when it has just been read: a gateway may have joined. */
  async #look(waits: Waits): Promise<string | undefined> {
    const { gateways } = this.#options;
    try {
      return waits(await gateways.askLeases()) ?? waits(await gateways.ask());
    } catch (error) {
      return `the stores do not answer: ${inWords(error)}`;
    }
  }

  /** Raises the heartbeat when it is due. @returns whether it was raised */
  async #beat(change: Change, patch: ChangePatch | undefined, atOnce = false): Promise<boolean> {
    const { store, now, policy } = this.#options;
    const lastMs = this.#beaten.get(change.id) ?? now();
    if (!atOnce && now() - lastMs < policy.beatMs) return false;
    this.#beaten.set(change.id, now());
    try {
      await store.beatChange(change.id, change.token, patch);
      return true;
    } catch (error) {
      if (error instanceof ChangeLostError) throw error;
      // The record decides at the next phase; until then nothing depends on it.
      return false;
    }
  }

  /** The one place where the phase changes. */
  async #move(change: Change, to: Phase, patch?: ChangePatch): Promise<Change> {
    const { store, policy } = this.#options;
    const { id, token, phase } = change;
    let tried = false;
    return this.#insist(change, policy.retryMaxMs, async () => {
      if (tried) {
        // A commit whose answer was lost may have happened: the record says.
        const current = await store.readChange(id);
        if (current === undefined || current.token !== token) throw new ChangeLostError(id);
        if (current.phase === to) return current;
      }
      tried = true;
      return store.moveChange(id, token, phase, to, patch);
    });
  }

  /** Tries a step again until it succeeds, or for good reason cannot. */
  async #insist<T>(change: Change, boundMs: number, step: () => Promise<T>): Promise<T> {
    const { now, sleep, policy } = this.#options;
    const beganAt = now();
    for (;;) {
      this.#expectOpen();
      try {
        return await step();
      } catch (error) {
        if (isFinal(error) || now() - beganAt >= boundMs) throw error;
        await this.#beat(change, undefined);
        await sleep(Math.max(policy.pollMs, 50));
      }
    }
  }

  #expectOpen(): void {
    if (this.#closed) throw new ControllerClosedError('the control service was closed');
  }
}

/** Whether the record's cohort at the moment of opening is still the one that the change was judged by. */
function isAsJudged({ before, after, ...change }: Change): boolean {
  const expected = { ...before, stage: after.stage, ramp: after.ramp };
  return (
    change.movesTruth === movesTruth(before, after) &&
    change.needsEveryGateway === needsEveryGateway(before, after) &&
    Object.entries(expected).every(([key, value]) =>
      Object.entries(after).some(
        ([other, there]) => other === key && JSON.stringify(there) === JSON.stringify(value),
      ),
    )
  );
}

function isFinal(error: unknown): boolean {
  return error instanceof ChangeLostError || error instanceof ControllerClosedError;
}

function inForce(epoch: number): string {
  return `in force everywhere since epoch ${epoch}`;
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
