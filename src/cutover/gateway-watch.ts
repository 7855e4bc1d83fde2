/** Asks the stores for gateways and leases, and remembers what they did. */
import { type LeasePolicy, LeaseWatch, type WatchedGateway } from './lease-watch.ts';
import type { ChangeStore, ControlMap, RegisteredGateway } from './stores.ts';

export class GatewayWatch {
  readonly #store: Pick<ChangeStore, 'registeredGateways'>;
  readonly #map: Pick<ControlMap, 'leases'>;
  readonly #leases: LeaseWatch;
  readonly #now: () => number;
  #registered: readonly RegisteredGateway[] | undefined;

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
    this.#registered = await this.#store.registeredGateways();
    return this.askLeases();
  }

  /** Asks the map only, and takes the registry as it was last: cheap, and not enough to act on. */
  async askLeases(): Promise<readonly WatchedGateway[]> {
    const registered = this.#registered ?? (await this.#store.registeredGateways());
    this.#registered = registered;
    const askedMs = this.#now();
    const leases = await this.#map.leases();
    const answeredMs = this.#now();
    this.#leases.see(askedMs, answeredMs, registered, leases);
    return this.#leases.judge(answeredMs);
  }
}
