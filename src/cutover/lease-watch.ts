/**
 * Judges gateways by what their leases do, on this process's own elapsed time: no clocks are compared. Pure but
 * for what it has seen.
 */
import type { Lease, RegisteredGateway } from './stores.ts';

/**
 * `live`: the lease moves. `silent`: not for a while, or not seen to move yet. `fenced`: still for so long that the
 * gateway has fenced itself.
 */
export type Liveness = 'live' | 'silent' | 'fenced';

export interface WatchedGateway {
  readonly id: string;
  /** For people; its id when it is not registered. */
  readonly where: string;
  /** `undefined`: it has a lease only. */
  readonly registeredAt: Date | undefined;
  readonly liveness: Liveness;
  /**
   * Until the gateway is fenced and the last write that it may have sent before has passed its deadline, milliseconds;
   * 0 from then on.
   */
  readonly settlesInMs: number;
  /** From when the lease was first seen as it is to when it was last asked for, milliseconds. */
  readonly silentMs: number;
  /** `undefined` without a lease. */
  readonly lease: Lease | undefined;
}

export interface LeasePolicy {
  /** `cutover.selfFenceAfterMs`. */
  readonly selfFenceAfterMs: number;
  /** How long a write may take whose last piece was sent: the longest deadline of a backend. */
  readonly writeMaxMs: number;
}

interface Seen {
  counter: number | undefined;
  sinceMs: number;
  moved: boolean;
}

/** For the drift of two monotonic clocks over so short a time, and for rounding. */
export function fenceMarginMs(selfFenceAfterMs: number): number {
  return Math.max(250, selfFenceAfterMs / 4);
}

export class LeaseWatch {
  readonly #policy: LeasePolicy;
  readonly #seen = new Map<string, Seen>();
  #registered: readonly RegisteredGateway[] = [];
  #leases = new Map<string, Lease>();
  #askedMs = 0;

  constructor(policy: LeasePolicy) {
    this.#policy = policy;
  }

  /**
   * Takes in what the stores say. A counter that is new was raised before the answer was there; one that is not was
   * still the same when the question was asked. Silence lies between those two, so that a watcher that could not ask
   * for a while takes nobody for silent.
   *
   * @param askedMs @param answeredMs by one monotonic clock of this process
   */
  see(
    askedMs: number,
    answeredMs: number,
    registered: readonly RegisteredGateway[],
    leases: readonly Lease[],
  ): void {
    this.#askedMs = askedMs;
    this.#registered = registered;
    this.#leases = new Map(leases.map((lease) => [lease.gateway, lease]));
    const ids = new Set([...registered.map(({ id }) => id), ...this.#leases.keys()]);
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
    for (const id of ids) this.#note(id, this.#leases.get(id)?.counter, answeredMs);
  }

  #note(id: string, counter: number | undefined, nowMs: number): void {
    const seen = this.#seen.get(id);
    if (seen === undefined) {
      // It may have stopped long ago: only what is seen to move is alive.
      this.#seen.set(id, { counter, sinceMs: nowMs, moved: false });
    } else if (counter !== undefined && counter > (seen.counter ?? -1)) {
      // Counters only rise. A lower one, or none, is an older answer or a map that lost it: no sign of life.
      seen.moved = true;
      seen.counter = counter;
      seen.sinceMs = nowMs;
    }
  }

  /** Every gateway that is registered or has a lease: one that could not be registered serves as well. */
  judge(nowMs: number): readonly WatchedGateway[] {
    const known = new Map(this.#registered.map((each) => [each.id, each]));
    return [...this.#seen].map(([id, seen]) => {
      const silentMs = Math.max(0, this.#askedMs - seen.sinceMs);
      const registered = known.get(id);
      return {
        id,
        where: registered?.where ?? id,
        registeredAt: registered?.registeredAt,
        liveness: this.#liveness(seen, silentMs, nowMs),
        settlesInMs: Math.max(0, this.#fencedAfterMs + this.#policy.writeMaxMs - silentMs),
        silentMs,
        lease: this.#leases.get(id),
      };
    });
  }

  get #fencedAfterMs(): number {
    const { selfFenceAfterMs } = this.#policy;
    return selfFenceAfterMs + fenceMarginMs(selfFenceAfterMs);
  }

  #liveness({ moved, sinceMs }: Seen, silentMs: number, nowMs: number): Liveness {
    if (silentMs >= this.#fencedAfterMs) return 'fenced';
    // Raised at least every quarter; one that was missed is no reason to call it silent.
    return moved && nowMs - sinceMs < this.#policy.selfFenceAfterMs * 0.6 ? 'live' : 'silent';
  }
}
