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

/**
 * Reads that wait for a backend that hangs are withdrawn some at a time: so many at least, and all of them within the
 * bound, as far as the loop has time.
 */
const WITHDRAWN_AT_LEAST = 4;
const PAUSE_MS = 10;
const WITHDRAWN_WITHIN_MS = 2_500;

export class FallbackReads {
  readonly #parts: FallbackParts;
  #inFlight = 0;
  /** Which review of everybody is the last: one that pauses ends when the next begins, which sees all that still wait. */
  #review = 0;

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

  /**
   * Somebody may have moved: gives up at `new` what waits there for a user who is `legacy`'s. Thousands may wait when a
   * cohort goes back from a backend that hangs. They are sent anew a few at a time, with pauses, so that what puts the change
   * in force, here and elsewhere, is not behind all of them; each was sent before the change, and may be answered by it.
   *
   * @param user or everybody
   */
  review(user: User | undefined): void {
    const reads = this.#parts.pending.all();
    if (user === undefined) {
      const atOnce = Math.max(WITHDRAWN_AT_LEAST, Math.ceil((reads.length * PAUSE_MS) / WITHDRAWN_WITHIN_MS));
      this.#review += 1;
      this.#reviewFrom(reads, 0, atOnce, this.#review);
    } else for (const read of reads) if (read.exchange.user === user) this.#reviewOne(read);
  }

  #reviewFrom(reads: readonly FallbackRead[], first: number, atOnce: number, review: number): void {
    if (review !== this.#review) return;
    let withdrawn = 0;
    for (let at = first; at < reads.length; at += 1) {
      const read = reads[at];
      if (read === undefined || !this.#reviewOne(read)) continue;
      withdrawn += 1;
      if (withdrawn < atOnce) continue;
      setTimeout(() => this.#reviewFrom(reads, at + 1, atOnce, review), PAUSE_MS).unref();
      return;
    }
  }

  /** @returns whether it was given up at once */
  #reviewOne(read: FallbackRead): boolean {
    // Answered meanwhile.
    if (read.listedAt < 0) return false;
    const moved = this.#parts.judge.hasMoved(read.exchange);
    if (typeof moved !== 'boolean') {
      void moved.then((late) => late && read.withdraw());
      return false;
    }
    if (moved) read.withdraw();
    return moved;
  }
}
