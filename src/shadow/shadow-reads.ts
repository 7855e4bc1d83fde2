/**
 * Shadow reads: copies of users' reads, sent to the other backend when the user has the answer, and compared.
 *
 * A read passes through these states; in each of them it may be skipped, with a reason, and no user ever waits for
 * any of them:
 *
 *  1. chosen: before it is sent. The pieces of its answer are kept by reference while they pass.
 *  2. queued: its user has the whole answer. It waits for its turn.
 *  3. reading: the copy is under way, to the secondary, or for a share of them to the authoritative side again (noise).
 *  4. comparing: one a turn of the event loop.
 *  5. waiting: they differ. After a delay both sides are read again.
 *  6. confirming: as 2 to 4, with both sides.
 *  7. told: to the reports. Its bytes are released.
 *
 * Nothing of it survives the process. What a crash loses is some comparisons.
 */
import type { Exchange } from '../intake/exchange.ts';
import type { Backend } from '../model.ts';
import { ByteBudget } from '../upstream/kept-body.ts';
import type { ReadOutcome } from '../upstream/read-answer.ts';
import type { ShadowClient } from '../upstream/shadow-client.ts';
import { Admission } from './admission.ts';
import { ChosenRead, type DecidedRead, decidedRead } from './chosen-read.ts';
import { ComparisonTurns } from './comparison-turns.ts';
import { ConfirmLater } from './confirm-later.ts';
import { LargeAnswers } from './large-answers.ts';
import { bytesOf, Pairing } from './pairing.ts';
import { firstVerdict, observationOf, releaseOutcome } from './read-pair.ts';
import type { ReportSink, ShadowSkip } from './report-sink.ts';
import type { RuleBook } from './rule-book.ts';
import type { ShadowSettings } from './settings.ts';

export interface ShadowParts {
  readonly clients: { readonly [B in Backend]: ShadowClient };
  readonly rules: RuleBook;
  /** Waits for nothing and throws nothing. */
  readonly sink: ReportSink;
  /** Whether the user of a read would still be served by the same side, and the other one still be compared. */
  readonly stands: (decided: DecidedRead) => boolean | Promise<boolean>;
  /** The event loop is late. */
  readonly lagging: () => boolean;
  /** 0 to 1. */
  readonly random: () => number;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
  readonly keptBytesMax: number | undefined;
  readonly onDefect: (error: unknown) => void;
}

/** What is under way in one worker. All of it is bounded. */
export interface ShadowActivity {
  readonly reads: number;
  readonly queued: number;
  readonly confirmations: number;
  /** Bytes of bodies, of those that users are still getting too. */
  readonly keptBytes: number;
}

/** Bodies of all shadow reads of a worker together, in the largest bodies that are allowed; at least 64 MiB. */
const KEPT_BODIES = 64;
const KEPT_BYTES_MIN = 67_108_864;

export class ShadowReads {
  readonly #parts: ShadowParts;
  readonly #admission: Admission;
  readonly #turns: ComparisonTurns;
  readonly #pairing: Pairing;
  readonly #confirmLater: ConfirmLater;
  readonly #budget: ByteBudget;
  readonly #largeAnswers: LargeAnswers;
  #settings: ShadowSettings;
  #stopping = false;

  constructor(settings: ShadowSettings, parts: ShadowParts) {
    const { clients, rules, sink, stands, lagging, now, onDefect } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#budget = new ByteBudget(
      parts.keptBytesMax ?? Math.max(KEPT_BYTES_MIN, KEPT_BODIES * settings.bodyBytesMax),
    );
    this.#largeAnswers = new LargeAnswers(now);
    this.#turns = new ComparisonTurns(lagging, now);
    this.#pairing = new Pairing({
      settings: () => this.#settings,
      clients,
      rules,
      sink,
      budget: this.#budget,
      largeAnswers: this.#largeAnswers,
    });
    this.#admission = new Admission({
      bounds: () => this.#settings,
      trouble: (backend) => this.#troubleOf(backend),
      now,
    });
    this.#confirmLater = new ConfirmLater({
      settings: () => this.#settings,
      pairing: this.#pairing,
      admission: this.#admission,
      turns: this.#turns,
      stands,
      now,
      onDefect,
    });
  }

  get activity(): ShadowActivity {
    return {
      reads: this.#admission.reads,
      queued: this.#admission.queued,
      confirmations: this.#confirmLater.count,
      keptBytes: this.#budget.held,
    };
  }

  /** For reads that are chosen from now on; most bounds change at once. */
  reconfigure(settings: ShadowSettings): void {
    this.#settings = settings;
    this.#largeAnswers.forget();
  }

  /**
   * Decides whether this read is repeated later, and if so begins to keep its answer. Before it is sent.
   *
   * @param moving the user is being moved at this moment
   */
  choose(exchange: Exchange, secondary: Backend, moving: boolean): void {
    const { route } = exchange;
    if (route === undefined || this.#parts.random() >= route.shadowSample) return;
    const decided = decidedRead(exchange, route, secondary);
    const skip = this.#notChosen(exchange, decided, moving);
    if (skip !== undefined) {
      this.#skip(decided, skip);
      return;
    }
    exchange.tap = new ChosenRead(decided, exchange, {
      bodyBytesMax: this.#settings.bodyBytesMax,
      budget: this.#budget,
      now: this.#parts.now,
      onOver: (read, reason) => {
        if (reason === undefined) this.#admit(read);
        else this.#skip(decided, reason);
      },
    });
  }

  /** No more reads are chosen or sent; those under way go on. */
  stop(): void {
    this.#stopping = true;
    this.#admission.stop();
    this.#confirmLater.stop();
  }

  /** Ends everything at once; what was under way is told as `stopping`. */
  async close(): Promise<void> {
    this.stop();
    this.#turns.stop();
    const { legacy, new: renewed } = this.#parts.clients;
    legacy.destroy();
    renewed.destroy();
    await this.#admission.idle();
  }

  #notChosen(exchange: Exchange, { route, secondary }: DecidedRead, moving: boolean): ShadowSkip | undefined {
    if (moving) return 'moving';
    if (exchange.target === '*') return 'not_comparable';
    if (this.#largeAnswers.isResting(route.name, secondary)) return 'large_answers';
    const trouble = this.#troubleOf(secondary);
    // A pool may have room again when the user has the answer; the others last.
    return trouble === 'backend_overloaded' ? undefined : trouble;
  }

  #troubleOf(backend: Backend): ShadowSkip | undefined {
    if (this.#stopping) return 'stopping';
    const client = this.#parts.clients[backend];
    if (client.isOpen) return 'breaker_open';
    if (!client.hasRoom) return 'backend_overloaded';
    return this.#parts.lagging() ? 'event_loop_lag' : undefined;
  }

  #skip({ route, cohort }: DecidedRead, reason: ShadowSkip): void {
    this.#parts.sink.skipped(route.name, cohort, reason);
  }

  #admit(read: ChosenRead): void {
    const { decided } = read;
    const isNoise = this.#parts.random() < this.#settings.noiseSample;
    const from = isNoise ? decided.authoritative : decided.secondary;
    this.#admission.submit({
      from: [from],
      sinceMs: this.#parts.now(),
      skip: (reason) => this.#drop(read, reason),
      run: async (leftMs) => {
        try {
          await this.#read(read, from, leftMs);
        } catch (error) {
          read.release();
          this.#parts.onDefect(error);
        }
      },
    });
  }

  async #read(read: ChosenRead, from: Backend, leftMs: number): Promise<void> {
    // It may have waited for its turn, or its user for the answer.
    if (!(await this.#parts.stands(read.decided))) {
      this.#drop(read, 'moving');
      return;
    }
    if (!this.#largeAnswers.lets(read.decided.route.name, from)) {
      this.#drop(read, 'large_answers');
      return;
    }
    const right = await this.#pairing.send(read, from, leftMs);
    try {
      const skip = await this.#conclude(read, from, right);
      if (skip === undefined) return;
      releaseOutcome(right);
      this.#drop(read, skip);
    } catch (error) {
      releaseOutcome(right);
      throw error;
    }
  }

  /** @returns why there is nothing to tell; otherwise whoever tells it has taken the pair over */
  async #conclude(read: ChosenRead, from: Backend, right: ReadOutcome): Promise<ShadowSkip | undefined> {
    if (right.kind === 'skipped') return right.reason;
    const granted = await this.#turns.next(read.bytes + bytesOf(right));
    if (!granted) return this.#stopping ? 'stopping' : 'event_loop_lag';
    const { decided } = read;
    const comparison = this.#pairing.compare(decided, read.observation(), observationOf(right));
    const verdict = firstVerdict(comparison);
    if (verdict === 'not_comparable') return verdict;
    const pair = { read, right, comparison };
    if (from === decided.authoritative) this.#pairing.tellNoise(pair);
    else if (verdict === 'matched') this.#pairing.tell(pair, { verdict });
    else this.#confirmLater.take(pair);
    return undefined;
  }

  #drop(read: ChosenRead, reason: ShadowSkip): void {
    read.release();
    this.#skip(read.decided, reason);
  }
}
