/**
 * The wires between gateways and stores: each gateway has one of its own to each store, so that it can be cut off alone,
 * and all of one store are moved together when it fails over.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface NetworkPlan {
  /** By the name of the store. */
  readonly targets: { readonly [store: string]: number };
  readonly wires: readonly { readonly name: string; readonly store: string }[];
}

/** `cut` resets what is open and what comes; `silence` keeps it open and lets nothing through, until it is mended. */
export type NetworkOrder =
  | { readonly kind: 'cut' | 'silence' | 'mend'; readonly wire: string }
  | { readonly kind: 'point'; readonly store: string; readonly port: number };

class Wire {
  readonly store: string;
  readonly #target: () => number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #state: 'whole' | 'cut' | 'silent' = 'whole';

  constructor(store: string, target: () => number) {
    this.store = store;
    this.#target = target;
  }

  accept(near: Socket): void {
    if (this.#state === 'cut') {
      near.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const far = connect(this.#target(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => {
        if (this.#state === 'whole') from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => undefined);
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (this.#state === 'silent') for (const socket of pair) socket.pause();
  }

  cut(): void {
    this.#state = 'cut';
    this.reset();
  }

  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  silence(): void {
    this.#state = 'silent';
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  mend(): void {
    this.#state = 'whole';
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }
}

async function lay({ targets, wires }: NetworkPlan): Promise<Record<string, number>> {
  const ports = new Map(Object.entries(targets));
  const laid = new Map<string, Wire>();
  const listening: Record<string, number> = {};
  for (const { name, store } of wires) {
    const wire = new Wire(store, () => ports.get(store) ?? 0);
    const server = createServer((socket) => wire.accept(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    listening[name] = address === null || typeof address === 'string' ? 0 : address.port;
    laid.set(name, wire);
  }
  process.on('message', (order: NetworkOrder) => {
    switch (order.kind) {
      case 'cut':
        laid.get(order.wire)?.cut();
        break;
      case 'silence':
        laid.get(order.wire)?.silence();
        break;
      case 'mend':
        laid.get(order.wire)?.mend();
        break;
      case 'point':
        ports.set(order.store, order.port);
        for (const wire of laid.values()) if (wire.store === order.store) wire.reset();
        break;
      default:
        order satisfies never;
    }
    process.send?.({ obeyed: order.kind });
  });
  return listening;
}

process.on('disconnect', () => process.exit(0));
process.once('message', (plan: NetworkPlan) => {
  void lay(plan).then((ports) => process.send?.(ports));
});
