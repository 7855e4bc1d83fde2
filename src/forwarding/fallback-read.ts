/**
 * One read of a user in stage `live`, who may be served by `legacy` if `new` fails. ARCHITECTURE.md, section 'Fallback
 * reads', has the states and why no promise is broken.
 *
 *     at new ─▶ waiting for a turn ─▶ judged ─▶ at legacy ─▶ answered by legacy
 *       │               └────────────────┴──────────┴──────▶ the failure of new, as it was
 *       └─▶ answered by new
 */
import { type ErrorCode, TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import type { WholeBody } from '../upstream/request-bytes.ts';
import type { FallbackBudget, Turn } from './fallback-budget.ts';
import { Forward, type ForwardPolicy } from './forward.ts';
import type { Listed, Roster } from './roster.ts';
import type { Standby } from './standby.ts';

/** `moved`: the user is `legacy`'s by now. `clean`: whatever the user wrote is in `legacy` too. */
export type FallbackVerdict = 'moved' | 'clean' | 'dirty' | 'unknown';
export type FallbackOutcome = 'served' | 'failed' | 'over-budget' | 'dirty' | 'unknown';

/** Knows whose truth is where. */
export interface FallbackJudge {
  /** Whether the read is one of those; without I/O, before it is sent. */
  mayFallBack(exchange: Exchange): boolean;
  /** Whether such a read would go to `legacy` if it came now. Never rejects. */
  hasMoved(exchange: Exchange): boolean | Promise<boolean>;
  /** Whether `legacy` may answer it, as of this call. Never rejects. */
  judge(exchange: Exchange): Promise<FallbackVerdict>;
  /** Whether the user has written to `new` through this gateway; without I/O. */
  hasWritten(exchange: Exchange): boolean;
}

/** What the reads of one gateway have in common. */
export interface FallbackParts {
  readonly judge: FallbackJudge;
  readonly legacy: BackendClient;
  readonly budget: FallbackBudget;
  /** Reads that are at `new` and have no answer yet. */
  readonly pending: Roster<FallbackRead>;
  readonly onOutcome: (cohort: string | undefined, outcome: FallbackOutcome) => void;
}

export class FallbackRead implements Standby, Listed {
  readonly exchange: Exchange;
  listedAt = -1;
  readonly #parts: FallbackParts;
  readonly #policy: ForwardPolicy;
  /** Each sending adds to the list of headers. */
  readonly #headersLength: number;
  #first: Forward | undefined;
  #body: WholeBody | undefined;
  /** `new` has failed; without a `#failure` its answer is kept. */
  #hasFailed = false;
  #failure: TurnoutError | undefined;
  #turn: Turn | undefined;
  #isOver = false;

  constructor(exchange: Exchange, policy: ForwardPolicy, parts: FallbackParts) {
    this.exchange = exchange;
    this.#policy = policy;
    this.#parts = parts;
    this.#headersLength = exchange.head.headers.length;
  }

  /** Sends it to `new`. @param body if it has one, all of it */
  start(client: BackendClient, body: WholeBody | undefined): void {
    this.#body = body;
    this.#first = new Forward(this.exchange, client, this.#policy, body, this);
    this.#parts.pending.add(this);
    this.#first.start();
  }

  passes(status: number): boolean {
    if (status >= 500) return false;
    this.#parts.pending.delete(this);
    return true;
  }

  over(): void {
    this.#parts.pending.delete(this);
  }

  failed(failure: TurnoutError | undefined): void {
    this.#parts.pending.delete(this);
    this.#hasFailed = true;
    this.#failure = failure;
    this.#begin();
  }

  /** The user is `legacy`'s by now: nobody waits for `new` any more. */
  withdraw(): void {
    if (!this.#parts.pending.delete(this)) return;
    this.#first?.drop();
    this.exchange.attempt?.over(undefined);
    this.#begin();
  }

  #begin(): void {
    const interrupted = (code: ErrorCode | undefined): void => this.#interrupted(code);
    this.exchange.onInterrupt = interrupted;
    this.#rescue().catch((error: unknown) => {
      this.#finish();
      this.exchange.fail(error);
    });
  }

  async #rescue(): Promise<void> {
    const { judge, budget } = this.#parts;
    if (judge.hasWritten(this.exchange) && !(await judge.hasMoved(this.exchange))) {
      // What is known needs no turn.
      if (!this.#isOver) this.#giveUp('dirty');
      return;
    }
    if (this.#isOver) return;
    this.#turn = budget.ask();
    const granted = await this.#turn.granted;
    if (this.#isOver) return;
    // Without a turn only where any other read of the user goes too: those need none.
    const verdict = granted
      ? await judge.judge(this.exchange)
      : (await judge.hasMoved(this.exchange))
        ? 'moved'
        : 'over-budget';
    if (this.#isOver) return;
    if (verdict === 'clean' || verdict === 'moved') this.#send(verdict);
    else this.#giveUp(verdict);
  }

  #send(verdict: 'moved' | 'clean'): void {
    const { exchange } = this;
    const { head } = exchange;
    const sent = head.headers.indexOf('traceparent', this.#headersLength);
    exchange.head = {
      ...head,
      headers: head.headers.slice(0, this.#headersLength),
      // Of the same trace.
      traceparent: head.headers[sent + 1],
    };
    const second = new Forward(exchange, this.#parts.legacy, this.#policy, this.#body, {
      passes: (status) => this.#passesLegacy(status, verdict),
      failed: (failure) => {
        second.drop();
        this.#legacyFailed(failure);
      },
      over: () => this.#finish(),
    });
    second.start();
  }

  #passesLegacy(status: number, verdict: 'moved' | 'clean'): boolean {
    if (status >= 500 && this.#hasFailed) return false;
    // The check was made before `legacy` was asked. It would still be a right answer; but not one that its user expects.
    if (this.#wroteMeanwhile(verdict)) return false;
    const { exchange } = this;
    exchange.backend = 'legacy';
    exchange.fallback = true;
    // There is nothing to compare: it is not `new` that answered.
    exchange.tap?.over(false);
    exchange.tap = undefined;
    this.#first?.drop();
    this.#count(status >= 500 ? 'failed' : 'served');
    // A stream may go on for hours. What comes after its head is little work.
    const turn = this.#turn;
    setTimeout(() => turn?.end(), this.#parts.budget.settings.waitMs).unref();
    return true;
  }

  #wroteMeanwhile(verdict: 'moved' | 'clean'): boolean {
    return verdict === 'clean' && this.#parts.judge.hasWritten(this.exchange);
  }

  /** @param failure `undefined` for an answer that did not pass */
  #legacyFailed(failure: TurnoutError | undefined): void {
    const { exchange } = this;
    if (this.#hasFailed || failure === undefined) {
      this.#giveUp(this.#wroteMeanwhile('clean') ? 'dirty' : 'failed');
      return;
    }
    exchange.backend = 'legacy';
    this.#count('failed');
    this.#finish();
    exchange.fail(failure);
  }

  /** The client gets what `new` had for it. */
  #giveUp(outcome: FallbackOutcome): void {
    this.#count(outcome);
    this.#turn?.end();
    this.#isOver = true;
    if (this.#hasFailed && this.#failure === undefined) this.#first?.give();
    // One that was withdrawn from there, and is not `legacy`'s any more, has not had an answer in time.
    else this.exchange.fail(this.#failure ?? new TurnoutError('backend_headers_timeout'));
  }

  #interrupted(code: ErrorCode | undefined): void {
    this.#finish();
    if (code !== undefined) this.exchange.fail(new TurnoutError(code));
  }

  #finish(): void {
    this.#isOver = true;
    this.#turn?.end();
    this.#first?.drop();
  }

  #count(outcome: FallbackOutcome): void {
    this.#parts.onOutcome(this.exchange.decision?.cohort, outcome);
  }
}
