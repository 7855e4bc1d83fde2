/** Which rules the answers of a route are compared by. */
import type { CompiledRules } from '../comparison/compile-rules.ts';

/** Rules that were changed while the gateway runs. */
export interface RunTimeRules {
  /** They take the place of the configured rules of that route; `undefined`: there are none. */
  rulesOf(route: string): CompiledRules | undefined;
}

export interface RuleBook {
  rulesOf(route: string): CompiledRules;
}
