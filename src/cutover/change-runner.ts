/** Runs the changes of this process, takes over those whose process vanished, and waits for outcomes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Change, isOver } from './change.ts';
import { ControllerClosedError } from './change-steps.ts';
import type { Controller } from './controller.ts';
import type { Recovery } from './recovery.ts';
import { ChangeLostError, type ChangeStore } from './stores.ts';

export interface RunnerTiming {
  /** How long a caller waits for a change that waits for gateways, and for one that goes on. */
  readonly pendingAnswerMs: number;
  readonly answerMaxMs: number;
}

export interface RunnerOptions {
  readonly store: ChangeStore;
  readonly controller: Controller;
  readonly recovery: Recovery;
  readonly timing: RunnerTiming;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

export class ChangeRunner {
  readonly #options: RunnerOptions;
  /** Changes that run here, and their ends. A run never rejects. */
  readonly #running = new Map<string, Promise<Change | undefined>>();
  readonly #stop = new AbortController();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends early when the runner is stopped. */
  async sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Takes over what nobody runs any more. */
  async recover(): Promise<void> {
    const { recovery, log } = this.#options;
    for (const change of await recovery.poll((id) => this.#running.has(id))) {
      const { id, kind, cohort, phase } = change;
      const event = { event: 'change_recovered', change: id, kind, cohort, phase };
      log.warn(event, 'a change whose process vanished is taken over');
      this.run(change, true);
    }
  }

  run(change: Change, taken = false): void {
    const { id, kind, cohort } = change;
    if (this.#running.has(id)) return;
    const running = this.#options.controller
      .run(change, taken)
      .catch((err: unknown) => {
        if (err instanceof ControllerClosedError || err instanceof ChangeLostError) return undefined;
        const event = { event: 'change_stuck', change: id, kind, cohort, err };
        this.#options.log.error(event, 'a change could not go on; it will be taken up again');
        return undefined;
      })
      .finally(() => this.#running.delete(id));
    this.#running.set(id, running);
  }

  /**
   * The change when it is over, or as far as it is when the caller has waited for long enough.
   *
   * @param patient waits until it is over, or the runner is stopped
   */
  async outcome(begun: Change, patient = false): Promise<Change> {
    if (isOver(begun.phase)) return begun;
    const { store, timing, now } = this.#options;
    const sinceMs = now();
    for (;;) {
      // Its end wakes us; a look at the record now and then tells whether it is still pending.
      const ended = this.#running.get(begun.id);
      const pauseMs = Math.min(100, timing.pendingAnswerMs);
      const over = await Promise.race([ended, this.sleep(pauseMs)]);
      if (over !== undefined) return over;
      const change = (await store.readChange(begun.id)) ?? begun;
      const waitedMs = now() - sinceMs;
      const enough = change.phase === 'pending' ? timing.pendingAnswerMs : timing.answerMaxMs;
      const isEnough = !patient && waitedMs >= enough;
      if (isOver(change.phase) || isEnough || this.isStopped) return change;
      // It ended here without an outcome: left to whoever recovers it.
      if (ended === undefined) await this.sleep(pauseMs);
    }
  }

  /** Waits up to `graceMs` for what runs, and stops. What is open then is left to whoever recovers it. */
  async close(graceMs: number): Promise<void> {
    await Promise.race([Promise.all(this.#running.values()), this.sleep(graceMs)]);
    this.#stop.abort();
    this.#options.controller.close();
    await Promise.all(this.#running.values());
  }
}
