/**
 * How a controller waits and tries again: with heartbeats, bounds, and an eye on whether the change is still its own.
 */
import type { Change, Phase } from './change.ts';
import type { GatewayWatch } from './gateway-watch.ts';
import type { WatchedGateway } from './lease-watch.ts';
import { ChangeLostError, type ChangePatch, type ChangeStore, type Stranding } from './stores.ts';

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

export interface StepOptions {
  readonly store: ChangeStore;
  readonly gateways: Pick<GatewayWatch, 'askLeases'>;
  readonly policy: ControllerPolicy;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The controller was closed with changes open. */
export class ControllerClosedError extends Error {
  override readonly name = 'ControllerClosedError';
}

/**
 * Nearly all waits are over after a few milliseconds, in which writes are held; where they last longer, looks would only
 * take the processor from those who are waited for. So the next look comes when the wait has grown by this much.
 */
const GROWTH = 0.3;
const FIRST_LOOK_MS = 1;

/** For whom is waited, in words. */
export type Waits = (gateways: readonly WatchedGateway[]) => string | undefined;

export class ChangeSteps {
  readonly #options: StepOptions;
  /** By change, when its heartbeat was last raised. */
  readonly #beaten = new Map<string, number>();
  #closed = false;

  constructor(options: StepOptions) {
    this.#options = options;
  }

  begin(id: string): void {
    this.#beaten.set(id, this.#options.now());
  }

  end(id: string): void {
    this.#beaten.delete(id);
  }

  /** Every step that begins from now on fails. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Waits, with a heartbeat, until nobody has to be waited for.
   *
   * @param patch noted in the record with the next heartbeat
   * @returns for whom it waited when the time was over
   */
  async until(
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
      const why = await this.#look(waits, beganAt);
      if (why === undefined) return undefined;
      if (now() - beganAt >= boundMs) return why;
      if (change.phase !== 'undoing') noted = { ...noted, note: why };
      if (await this.beat(change, noted, atOnce)) noted = undefined;
      atOnce = false;
      await sleep(Math.min(policy.pollMs, Math.max(FIRST_LOOK_MS, GROWTH * (now() - beganAt))));
    }
  }

  /**
   * Takes a step of the map and waits until its epoch is applied. A map that failed over meanwhile may have lost the
   * step and given its epoch to another change: so the step is repeated, which changes nothing in a map that has it,
   * and another epoch has to be waited for again.
   *
   * @returns the epoch
   */
  async untilInForce(
    change: Change,
    step: () => Promise<number>,
    waits: (epoch: number, gateways: readonly WatchedGateway[]) => string | undefined,
    patch: (epoch: number) => ChangePatch,
  ): Promise<number> {
    const { retryMaxMs } = this.#options.policy;
    let epoch = await this.insist(change, retryMaxMs, step);
    for (;;) {
      const awaited = epoch;
      await this.until(change, Infinity, (gateways) => waits(awaited, gateways), patch(awaited));
      epoch = await this.insist(change, retryMaxMs, step);
      if (epoch === awaited) return epoch;
    }
  }

  /** Acts on the registry as it was since the wait began: a gateway may have joined before the step that is waited for. */
  async #look(waits: Waits, sinceMs: number): Promise<string | undefined> {
    try {
      return waits(await this.#options.gateways.askLeases(sinceMs));
    } catch (error) {
      return `the stores do not answer: ${inWords(error)}`;
    }
  }

  /** Raises the heartbeat when it is due. @returns whether it was raised */
  async beat(change: Change, patch: ChangePatch | undefined, atOnce = false): Promise<boolean> {
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
  async move(change: Change, to: Phase, patch?: ChangePatch, stranding?: Stranding): Promise<Change> {
    const { store, policy } = this.#options;
    const { id, token, phase } = change;
    let tried = false;
    return this.insist(change, policy.retryMaxMs, async () => {
      if (tried) {
        // A commit whose answer was lost may have happened: the record says.
        const current = await store.readChange(id);
        // A change that begins anew has the next token.
        const mine = token + (to === 'pending' && current?.phase === to ? 1 : 0);
        if (current === undefined || current.token !== mine) throw new ChangeLostError(id);
        if (current.phase === to) return current;
      }
      tried = true;
      return store.moveChange(id, token, phase, to, patch, stranding);
    });
  }

  /** Tries a step again until it succeeds, or for good reason cannot. */
  async insist<T>(change: Change, boundMs: number, step: () => Promise<T>): Promise<T> {
    const { now, sleep, policy } = this.#options;
    const beganAt = now();
    for (;;) {
      this.#expectOpen();
      try {
        return await step();
      } catch (error) {
        if (isFinal(error) || now() - beganAt >= boundMs) throw error;
        await this.beat(change, undefined);
        await sleep(Math.max(policy.pollMs, 50));
      }
    }
  }

  #expectOpen(): void {
    if (this.#closed) throw new ControllerClosedError('the control service was closed');
  }
}

/** No repetition helps. */
export function isFinal(error: unknown): boolean {
  return error instanceof ChangeLostError || error instanceof ControllerClosedError;
}

export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
