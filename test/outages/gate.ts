/** A map of the control service that keeps a controller right after one of its steps, until it is let go on. */
import type { ControlMap } from '../../src/cutover/stores.ts';

/** A phase of a change, by the step of the map that belongs to it. */
export type HeldPhase = 'holding' | 'switching' | 'releasing';

export interface Stop {
  /** Resolves with the epoch of the step, once it is in the map. The controller does not know yet. */
  readonly reached: Promise<number>;
  readonly resume: () => void;
}

interface Waiting extends Stop {
  readonly phase: HeldPhase;
  readonly pass: (epoch: number) => Promise<void>;
}

export class Gate {
  #waiting: Waiting | undefined;

  /** The next step of this phase that succeeds is the one; later ones pass. */
  stopAfter(phase: HeldPhase): Stop {
    const reached = Promise.withResolvers<number>();
    const go = Promise.withResolvers<void>();
    const pass = (epoch: number): Promise<void> => {
      reached.resolve(epoch);
      return go.promise;
    };
    this.#waiting = { phase, reached: reached.promise, resume: go.resolve, pass };
    return this.#waiting;
  }

  /** Lets everybody go on, for the end of a test that failed in between. */
  open(): void {
    this.#waiting?.resume();
  }

  async #step(phase: HeldPhase, call: Promise<number>): Promise<number> {
    const epoch = await call;
    const waiting = this.#waiting;
    if (waiting?.phase === phase) {
      await waiting.pass(epoch);
      if (this.#waiting === waiting) this.#waiting = undefined;
    }
    return epoch;
  }

  /** `map` with this gate in it. */
  before(map: ControlMap): ControlMap {
    return {
      claim: (change, token) => map.claim(change, token),
      hold: (change, token, what) => this.#step('holding', map.hold(change, token, what)),
      putUsers: (change, token, users) => map.putUsers(change, token, users),
      switchTo: (change, token, cohorts) => this.#step('switching', map.switchTo(change, token, cohorts)),
      release: (change, token) => this.#step('releasing', map.release(change, token)),
      forget: (change) => map.forget(change),
      collectMarks: async () => map.collectMarks?.(),
      leases: () => map.leases(),
      renewLease: (lease) => map.renewLease(lease),
      dropLease: (gateway) => map.dropLease(gateway),
      epoch: () => map.epoch(),
      rebuild: () => map.rebuild(),
    };
  }
}
