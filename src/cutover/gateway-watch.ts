/** Asks the stores for gateways and leases, and remembers what they did. */
import { type LeasePolicy, LeaseWatch, type WatchedGateway } from './lease-watch.ts';
import type { ChangeStore, ControlMap, RegisteredGateway } from './stores.ts';

/** The registry as it was longer ago is not worked with at all. */
const REGISTRY_MS = 200;

export class GatewayWatch {
  readonly #store: Pick<ChangeStore, 'registeredGateways'>;
  readonly #map: Pick<ControlMap, 'leases'>;
  readonly #leases: LeaseWatch;
  readonly #now: () => number;
  #registered: readonly RegisteredGateway[] = [];
  #registeredAt = -Infinity;

  /** @param now monotonic, milliseconds */
  constructor(
    store: Pick<ChangeStore, 'registeredGateways'>,
    map: Pick<ControlMap, 'leases'>,
    policy: LeasePolicy,
    now: () => number,
  ) {
    this.#store = store;
    this.#map = map;
    this.#leases = new LeaseWatch(policy);
    this.#now = now;
  }

  /** The registry first: a gateway that is not in it yet will apply every change made before it is. */
  async ask(): Promise<readonly WatchedGateway[]> {
    await this.#askRegistry();
    return this.askLeases();
  }

  async #askRegistry(): Promise<void> {
    const askedMs = this.#now();
    const registered = await this.#store.registeredGateways();
    // Another one that was asked later may have been answered sooner.
    if (askedMs < this.#registeredAt) return;
    this.#registered = registered;
    this.#registeredAt = askedMs;
  }

  /**
   * Asks the map, and takes the registry as it was a moment ago.
   *
   * @param sinceMs but not as it was before this: enough to act on a step of the map that was taken before. A gateway that
   *   was registered later is told the map's epoch before it listens, and has that step by then.
   */
  async askLeases(sinceMs = -Infinity): Promise<readonly WatchedGateway[]> {
    const isOld = this.#registeredAt <= sinceMs || this.#now() - this.#registeredAt > REGISTRY_MS;
    if (isOld) await this.#askRegistry();
    const askedMs = this.#now();
    const leases = await this.#map.leases();
    const answeredMs = this.#now();
    this.#leases.see(askedMs, answeredMs, this.#registered, leases);
    return this.#leases.judge(answeredMs);
  }
}
