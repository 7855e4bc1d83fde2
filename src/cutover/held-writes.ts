import { TurnoutError } from '../errors.ts';
import type { User } from '../model.ts';
import type { StateChange } from '../state/state-map.ts';

export interface HeldWritesPolicy {
  /** Bound on one wait, milliseconds. */
  readonly holdMaxMs: number;
  /** Bound on writes that wait at the same time. */
  readonly heldWritesMax: number;
}

interface Waiting {
  readonly user: User;
  readonly release: () => void;
}

/**
 * Writes that wait because the truth of their user moves. A waiting write holds its connection and nothing
 * else: its body stays with the client, as the gateway does not read it. Writes are let go in the order in
 * which they came, to be decided anew.
 */
export class HeldWrites {
  readonly #waiting = new Set<Waiting>();
  #policy: HeldWritesPolicy;

  constructor(policy: HeldWritesPolicy) {
    this.#policy = policy;
  }

  get count(): number {
    return this.#waiting.size;
  }

  reconfigure(policy: HeldWritesPolicy): void {
    this.#policy = policy;
  }

  /**
   * Waits until something changed that may release the user.
   *
   * @param heldMs how long this write has waited already, milliseconds
   * @param onLeave registers what to call when the client leaves
   * @throws TurnoutError `write_held` when the wait is over its bound, `held_writes_full`
   */
  wait(user: User, heldMs: number, onLeave: (leave: () => void) => void): Promise<void> {
    if (this.#waiting.size >= this.#policy.heldWritesMax)
      return Promise.reject(new TurnoutError('held_writes_full'));
    return new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        settle();
      };
      const waiting = { user, release: () => done(resolve) };
      const timer = setTimeout(
        () => done(() => reject(new TurnoutError('write_held'))),
        Math.max(0, this.#policy.holdMaxMs - heldMs),
      );
      this.#waiting.add(waiting);
      onLeave(() => done(() => reject(new TurnoutError('client_closed_upload'))));
    });
  }

  /** Lets those go whom a change of the state map may have released. */
  onChange(change: StateChange): void {
    for (const waiting of this.#waiting) {
      if (change.kind !== 'user' || change.user === waiting.user) waiting.release();
    }
  }
}
