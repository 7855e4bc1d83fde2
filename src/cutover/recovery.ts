/**
 * Finds changes whose controller has vanished, and takes them over. Every process that can run changes does this; the
 * record lets only one of them succeed.
 */
import type { Change } from './change.ts';
import type { ChangeStore } from './stores.ts';

interface Seen {
  readonly token: number;
  readonly heartbeat: number;
  readonly sinceMs: number;
}

export class Recovery {
  readonly #store: Pick<ChangeStore, 'openChanges' | 'takeChange'>;
  readonly #controllerSilentMs: number;
  readonly #now: () => number;
  #seen = new Map<string, Seen>();

  /**
   * @param controllerSilentMs how long a heartbeat may stand still, by this process's own elapsed time
   * @param now monotonic, milliseconds
   */
  constructor(
    store: Pick<ChangeStore, 'openChanges' | 'takeChange'>,
    controllerSilentMs: number,
    now: () => number,
  ) {
    this.#store = store;
    this.#controllerSilentMs = controllerSilentMs;
    this.#now = now;
  }

  /**
   * Looks once.
   *
   * @param isMine changes that this process runs
   * @returns the changes that were taken over; they have to be run
   */
  async poll(isMine: (id: string) => boolean): Promise<readonly Change[]> {
    const askedMs = this.#now();
    const open = await this.#store.openChanges();
    const answeredMs = this.#now();
    const seen = new Map<string, Seen>();
    const taken: Change[] = [];
    for (const { id, token, heartbeat } of open) {
      if (isMine(id)) continue;
      const before = this.#seen.get(id);
      if (before === undefined || before.token !== token || before.heartbeat !== heartbeat) {
        seen.set(id, { token, heartbeat, sinceMs: answeredMs });
        continue;
      }
      if (askedMs - before.sinceMs < this.#controllerSilentMs) {
        seen.set(id, before);
        continue;
      }
      const change = await this.#store.takeChange(id, heartbeat);
      if (change !== undefined) taken.push(change);
    }
    this.#seen = seen;
    return taken;
  }
}
