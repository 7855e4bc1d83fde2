import type { Socket } from 'node:net';
import { BlockList, isIP } from 'node:net';

/** What is the same for every request of one client connection. */
export interface ClientConnection {
  /** The peer's address, an IPv4 address inside IPv6 written as IPv4. */
  readonly address: string;
  /** A listed trusted proxy: its `X-Forwarded-*` are appended to instead of replaced. */
  readonly trusted: boolean;
  readonly encrypted: boolean;
}

/** Tells which peers are trusted proxies. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @param ranges addresses and CIDR ranges, checked by the configuration */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  includes(address: string): boolean {
    if (this.#empty) return false;
    return this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Remembers, for each open socket, what its requests have in common. */
export class ClientConnections {
  readonly #bySocket = new WeakMap<Socket, ClientConnection>();
  readonly #trusted: TrustedProxies;

  constructor(trusted: TrustedProxies) {
    this.#trusted = trusted;
  }

  of(socket: Socket): ClientConnection {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
    const connection = {
      address,
      trusted: this.#trusted.includes(address),
      encrypted: 'encrypted' in socket && socket.encrypted === true,
    };
    this.#bySocket.set(socket, connection);
    return connection;
  }
}
