/** How the routes reach the guard, and what the failures of its stores become. */
import type { ConfigModel } from '../config/model.ts';
import type { GuardControl } from '../guard/guard-control.ts';
import { SourceUnavailable } from './admin-source.ts';
import { inOurWords } from './control-access.ts';

/** The part of the guard that the API uses. */
export type AdminGuard = Omit<GuardControl, 'close'>;

export type GuardConfig = ConfigModel['guard'];

export class GuardAccess {
  readonly #guard: () => AdminGuard | undefined;
  readonly #config: () => GuardConfig | undefined;

  /**
   * @param guard `undefined` while the gateway starts
   * @param config what is in force: a reload changes it
   */
  constructor(guard: () => AdminGuard | undefined, config: () => GuardConfig | undefined) {
    this.#guard = guard;
    this.#config = config;
  }

  /** @throws SourceUnavailable while there is none */
  get config(): GuardConfig {
    const config = this.#config();
    if (config === undefined) throw new SourceUnavailable('The gateway is still starting.');
    return config;
  }

  /** For who can do without: `undefined` while the gateway starts. */
  get running(): AdminGuard | undefined {
    return this.#guard();
  }

  /**
   * @throws SourceUnavailable while there is none; AdminError `store_unavailable` when a store failed; what the guard
   *   refuses with
   */
  async ask<T>(call: (guard: AdminGuard) => Promise<T>): Promise<T> {
    const guard = this.#guard();
    if (guard === undefined) throw new SourceUnavailable('The gateway is still starting.');
    try {
      return await call(guard);
    } catch (cause) {
      throw inOurWords(cause);
    }
  }
}
