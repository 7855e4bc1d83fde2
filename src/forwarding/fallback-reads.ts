/** The reads of one gateway that `legacy` may answer when `new` fails: chosen, bounded, looked at when users move. */
import type { Exchange } from '../intake/exchange.ts';
import type { User } from '../model.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import { FallbackBudget, type FallbackSettings } from './fallback-budget.ts';
import { type FallbackJudge, type FallbackParts, FallbackRead } from './fallback-read.ts';
import type { ForwardPolicy } from './forward.ts';
import { Roster } from './roster.ts';

export interface FallbackOptions {
  readonly settings: FallbackSettings;
  readonly judge: FallbackJudge;
  readonly legacy: BackendClient;
  readonly onOutcome: FallbackParts['onOutcome'];
}

export class FallbackReads {
  readonly #parts: FallbackParts;
  #inFlight = 0;

  constructor({ settings, ...parts }: FallbackOptions) {
    const budget = new FallbackBudget(settings, () => this.#inFlight);
    this.#parts = { ...parts, budget, pending: new Roster() };
  }

  /** For the reads to come. */
  reconfigure(settings: FallbackSettings): void {
    this.#parts.budget.settings = settings;
  }

  /** Reads that wait for `new`, and could be answered by `legacy`. */
  get pending(): number {
    return this.#parts.pending.size;
  }

  /** An exchange is about to be sent. @returns whoever stands by it, for the reads that have somebody */
  begin(exchange: Exchange, policy: ForwardPolicy): FallbackRead | undefined {
    if (exchange.requestClass !== 'read') return undefined;
    this.#inFlight += 1;
    exchange.countedRead = true;
    const { budget, judge } = this.#parts;
    if (!budget.settings.enabled || !judge.mayFallBack(exchange)) return undefined;
    return new FallbackRead(exchange, policy, this.#parts);
  }

  /** The exchange is over. */
  end(exchange: Exchange): void {
    if (exchange.countedRead) this.#inFlight -= 1;
    exchange.countedRead = false;
  }

  /** Somebody may have moved: gives up at `new` what waits there for a user who is `legacy`'s. @param user or everybody */
  review(user: User | undefined): void {
    const { pending, judge } = this.#parts;
    for (const read of pending.all()) {
      if (user !== undefined && read.exchange.user !== user) continue;
      const moved = judge.hasMoved(read.exchange);
      if (moved === true) read.withdraw();
      else if (moved !== false) void moved.then((late) => late && read.withdraw());
    }
  }
}
