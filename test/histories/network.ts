/** The process with the wires between gateways and stores. */
import type { Teardown } from '../harness/teardown.ts';
import { type ForkedProcess, forkProcess } from './fork-process.ts';
import type { NetworkOrder, NetworkPlan } from './network-process.ts';

export class Network {
  readonly #process: ForkedProcess;
  readonly #ports: { readonly [wire: string]: number };
  /** One order after the other, so that an answer is the answer to it. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(process: ForkedProcess, ports: { readonly [wire: string]: number }) {
    this.#process = process;
    this.#ports = ports;
  }

  static async lay(t: Teardown, plan: NetworkPlan): Promise<Network> {
    const process = forkProcess(t, 'network-process');
    return new Network(process, await process.ask<{ readonly [wire: string]: number }>(plan));
  }

  /** Where the near end of the wire listens. */
  port(wire: string): number {
    const port = this.#ports[wire];
    if (port === undefined) throw new Error(`there is no wire ${wire}`);
    return port;
  }

  async order(order: NetworkOrder): Promise<void> {
    const obeyed = this.#last.then(() => this.#process.ask(order));
    this.#last = obeyed.catch(() => undefined);
    await obeyed;
  }
}
