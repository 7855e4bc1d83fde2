/** Reads both sides again where they differed, and tells what it was. */
import type { Admission } from './admission.ts';
import type { DecidedRead } from './chosen-read.ts';
import type { ComparisonTurns } from './comparison-turns.ts';
import { Confirmations } from './confirmations.ts';
import { judgeConfirmation, signaturesOf } from './judge-confirmation.ts';
import { bytesOf, type Pair, type Pairing } from './pairing.ts';
import { observationOf, releaseOutcome } from './read-pair.ts';
import type { ShadowSkip } from './report-sink.ts';
import type { ShadowSettings } from './settings.ts';

export interface ConfirmParts {
  readonly settings: () => ShadowSettings;
  readonly pairing: Pairing;
  readonly admission: Admission;
  readonly turns: ComparisonTurns;
  /** The user of the read would still be served by the same side. */
  readonly stands: (decided: DecidedRead) => boolean | Promise<boolean>;
  readonly now: () => number;
  readonly onDefect: (error: unknown) => void;
}

export class ConfirmLater {
  readonly #parts: ConfirmParts;
  readonly #waiting: Confirmations;
  #stopped = false;

  constructor(parts: ConfirmParts) {
    this.#parts = parts;
    this.#waiting = new Confirmations(() => parts.settings().concurrencyMax);
  }

  /** Confirmations that wait or are under way. */
  get count(): number {
    return this.#waiting.count;
  }

  /** Takes over a pair that differs: tells it, once. */
  take(pair: Pair): void {
    if (this.#stopped) {
      this.#unconfirmed(pair, 'stopping');
      return;
    }
    const signatures = signaturesOf(pair.read.decided.route.name, pair.comparison);
    if (!this.#waiting.enter(signatures)) {
      this.#unconfirmed(pair, 'concurrency');
      return;
    }
    const skip = (reason: ShadowSkip): void => {
      this.#waiting.leave(signatures);
      this.#unconfirmed(pair, reason);
    };
    const submit = (): void => {
      this.#parts.admission.submit({
        from: ['legacy', 'new'],
        sinceMs: this.#parts.now(),
        skip,
        run: async (leftMs) => {
          await this.#readAgain(pair, leftMs);
          this.#waiting.leave(signatures);
        },
      });
    };
    this.#waiting.after(this.#parts.settings().confirmAfterMs, submit, () => skip('stopping'));
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.stop();
  }

  async #readAgain(pair: Pair, leftMs: number): Promise<void> {
    try {
      const reason = await this.#confirm(pair, leftMs);
      if (reason !== undefined) this.#unconfirmed(pair, reason);
    } catch (error) {
      this.#parts.pairing.release(pair.read, pair.right);
      this.#parts.onDefect(error);
    }
  }

  /** @returns why it could not be told what the difference was; otherwise it was told */
  async #confirm(pair: Pair, leftMs: number): Promise<ShadowSkip | undefined> {
    const { read } = pair;
    const { decided } = read;
    const { pairing, stands } = this.#parts;
    if (!(await stands(decided))) return 'moving';
    const [left, right] = await Promise.all([
      pairing.send(read, decided.authoritative, leftMs),
      pairing.send(read, decided.secondary, leftMs),
    ]);
    try {
      if (left.kind === 'skipped') return left.reason;
      if (right.kind === 'skipped') return right.reason;
      // Its user was moved meanwhile: the two reads may have met different truths.
      if (!(await stands(decided))) return 'moving';
      const granted = await this.#parts.turns.next(bytesOf(left) + bytesOf(right));
      if (!granted) return this.#stopped ? 'stopping' : 'event_loop_lag';
      const answers = { authoritative: observationOf(left), secondary: observationOf(right) };
      const second = pairing.compare(decided, answers.authoritative, answers.secondary);
      const judgement = judgeConfirmation(decided.route.name, pair.comparison, second);
      if (judgement.verdict === 'unconfirmed') return 'not_comparable';
      if (judgement.verdict === 'confirmed') pairing.tell(pair, { ...judgement, answers });
      else pairing.tell(pair, judgement);
      return undefined;
    } finally {
      releaseOutcome(left);
      releaseOutcome(right);
    }
  }

  #unconfirmed(pair: Pair, reason: ShadowSkip): void {
    this.#parts.pairing.tell(pair, { verdict: 'unconfirmed', unconfirmedBecause: reason });
  }
}
