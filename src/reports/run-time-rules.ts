/** Rules that people change while gateways run: read again when their version number has moved. */
import type { Logger } from 'pino';
import { type CompiledRules, compileRules } from '../comparison/compile-rules.ts';
import type { ReportStore } from './report-store.ts';

export class LatestRules {
  readonly #store: Pick<ReportStore, 'comparisonRulesVersion' | 'comparisonRules'>;
  readonly #log: Logger;
  #version = 0;
  #byRoute: ReadonlyMap<string, CompiledRules> = new Map();

  constructor(store: Pick<ReportStore, 'comparisonRulesVersion' | 'comparisonRules'>, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** They take the place of the configured rules of that route; `undefined`: those are in force. */
  rulesOf(route: string): CompiledRules | undefined {
    return this.#byRoute.get(route);
  }

  get version(): number {
    return this.#version;
  }

  /** One statement, and a second one when something has changed. @throws when the record does not answer */
  async poll(): Promise<void> {
    const version = await this.#store.comparisonRulesVersion();
    if (version === this.#version) return;
    const byRoute = new Map<string, CompiledRules>();
    for (const { route, rules } of await this.#store.comparisonRules()) {
      if (rules === undefined) continue;
      const compiled = compileRules(rules);
      if (compiled.rules !== undefined) byRoute.set(route, compiled.rules);
      else {
        // They were checked when they were saved, by another version of this program.
        this.#log.warn(
          { event: 'rules_unusable', route },
          'saved rules cannot be used; the configured ones are',
        );
      }
    }
    this.#byRoute = byRoute;
    this.#version = version;
    this.#log.info({ event: 'rules_changed', version, routes: byRoute.size }, 'comparison rules changed');
  }
}
