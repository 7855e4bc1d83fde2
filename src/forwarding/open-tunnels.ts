/**
 * The tunnels that are open. A tunnel is decided once, when it is opened, and lives for hours; so it is looked at
 * again whenever the state map changes, and closed when its user is being moved or was moved. Its client connects
 * again, and is decided anew.
 */
import type { Exchange } from '../intake/exchange.ts';
import type { User } from '../model.ts';

export interface OpenTunnel {
  readonly exchange: Exchange;
  /** Ends both sides at once. */
  readonly close: () => void;
}

/** How many are looked at in one turn of the event loop. */
const TURN_MAX = 1_000;

export class OpenTunnels {
  readonly #open = new Map<Exchange, OpenTunnel>();
  /**
   * Whether the tunnel may stay as it is. A promise where the user's record has to be read first; one that
   * rejects closes the tunnel.
   */
  readonly #mayStay: (exchange: Exchange) => boolean | Promise<boolean>;
  readonly #onClosed: (exchange: Exchange) => void;

  constructor(
    mayStay: (exchange: Exchange) => boolean | Promise<boolean>,
    onClosed: (exchange: Exchange) => void,
  ) {
    this.#mayStay = mayStay;
    this.#onClosed = onClosed;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Looked at once now: the state map may have changed since the tunnel was decided. */
  add(tunnel: OpenTunnel): void {
    this.#open.set(tunnel.exchange, tunnel);
    this.#reviewOne(tunnel);
  }

  remove(exchange: Exchange): void {
    this.#open.delete(exchange);
  }

  /**
   * Looks at all tunnels again, or at those of one user. Some at a time where there are many: the requests in
   * between are decided by the same state.
   */
  review(user?: User): void {
    if (this.#open.size === 0) return;
    const waiting = [...this.#open.values()].filter(
      ({ exchange }) => user === undefined || exchange.user === user,
    );
    this.#reviewFrom(waiting, 0);
  }

  #reviewFrom(waiting: readonly OpenTunnel[], first: number): void {
    for (const tunnel of waiting.slice(first, first + TURN_MAX)) {
      if (this.#open.has(tunnel.exchange)) this.#reviewOne(tunnel);
    }
    if (first + TURN_MAX < waiting.length) setImmediate(() => this.#reviewFrom(waiting, first + TURN_MAX));
  }

  #reviewOne(tunnel: OpenTunnel): void {
    const stays = this.#mayStay(tunnel.exchange);
    if (stays === true) return;
    if (stays === false) {
      this.#close(tunnel);
      return;
    }
    stays.then(
      (late) => {
        if (!late) this.#close(tunnel);
      },
      () => this.#close(tunnel),
    );
  }

  #close(tunnel: OpenTunnel): void {
    if (!this.#open.delete(tunnel.exchange)) return;
    this.#onClosed(tunnel.exchange);
    tunnel.close();
  }
}
