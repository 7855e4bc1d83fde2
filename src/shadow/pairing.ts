/** Sends the copies of a read, compares what comes back, and tells it. */
import { compare } from '../comparison/compare.ts';
import type { Comparison } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';
import type { Backend } from '../model.ts';
import type { ByteBudget } from '../upstream/kept-body.ts';
import type { ReadOutcome } from '../upstream/read-answer.ts';
import type { ShadowClient } from '../upstream/shadow-client.ts';
import type { ChosenRead, DecidedRead } from './chosen-read.ts';
import { comparisonWithoutCredentials, observationWithoutCredentials } from './credentials.ts';
import type { LargeAnswers } from './large-answers.ts';
import { type Observed, observationOf, releaseOutcome } from './read-pair.ts';
import type { ComparedRead, ReportSink } from './report-sink.ts';
import type { RuleBook } from './rule-book.ts';
import type { ShadowSettings } from './settings.ts';
import { sentRead, toldRequest } from './shadow-request.ts';

/** The user's answer, and the one that was asked for afterwards. */
export interface Pair {
  readonly read: ChosenRead;
  readonly right: Observed;
  readonly comparison: Comparison;
}

export interface PairingParts {
  readonly settings: () => ShadowSettings;
  readonly clients: { readonly [B in Backend]: ShadowClient };
  readonly rules: RuleBook;
  readonly sink: ReportSink;
  readonly budget: ByteBudget;
  readonly largeAnswers: LargeAnswers;
}

/** What is told of a pair besides itself. Of a confirmed one the second pair takes its place. */
export type Told = Pick<ComparedRead, 'verdict' | 'unconfirmedBecause'> &
  Partial<Pick<ComparedRead, 'answers' | 'comparison'>>;

export class Pairing {
  readonly #parts: PairingParts;

  constructor(parts: PairingParts) {
    this.#parts = parts;
  }

  /** @param leftMs bound on the whole, milliseconds. The body of the outcome has to be released. */
  async send(read: ChosenRead, to: Backend, leftMs: number): Promise<ReadOutcome> {
    const { largeAnswers } = this.#parts;
    const client = this.#parts.clients[to];
    const { bodyBytesMax, pseudonym } = this.#parts.settings();
    const outcome = await client.read(sentRead(read.decided, read.requestBody(), client, pseudonym), {
      deadlineMs: leftMs,
      bodyBytesMax,
      budget: this.#parts.budget,
      serverErrorsAreFine: read.status >= 500,
    });
    const { name } = read.decided.route;
    if (outcome.kind === 'answered') largeAnswers.fits(name, to);
    else if (outcome.kind === 'skipped' && outcome.reason === 'body_too_large')
      largeAnswers.tooLarge(name, to);
    return outcome;
  }

  compare({ route, authoritative }: DecidedRead, left: Observation, right: Observation): Comparison {
    return compare(left, right, this.#parts.rules.rulesOf(route.name), { authoritative });
  }

  /** Ends the pair. */
  tellNoise({ read, right, comparison }: Pair): void {
    const { route, cohort, authoritative } = read.decided;
    this.#parts.sink.noise(
      Object.freeze({
        route: route.name,
        cohort,
        authoritative,
        comparison: comparisonWithoutCredentials(comparison),
      }),
    );
    this.release(read, right);
  }

  /** Ends the pair. */
  tell({ read, right, comparison }: Pair, told: Told): void {
    const { decided } = read;
    const { route, cohort, user, authoritative } = decided;
    const answers = told.answers ?? { authoritative: read.observation(), secondary: observationOf(right) };
    this.#parts.sink.compared(
      Object.freeze({
        ...told,
        route: route.name,
        cohort,
        user,
        authoritative,
        request: toldRequest(decided, this.#parts.settings().tokenHeaders),
        answers: Object.freeze({
          authoritative: observationWithoutCredentials(answers.authoritative),
          secondary: observationWithoutCredentials(answers.secondary),
        }),
        comparison: comparisonWithoutCredentials(told.comparison ?? comparison),
        authoritativeMs: read.durationMs,
        secondaryMs: right.kind === 'answered' ? right.durationMs : undefined,
      }),
    );
    this.release(read, right);
  }

  release(read: ChosenRead, right: ReadOutcome | undefined): void {
    if (right !== undefined) releaseOutcome(right);
    read.release();
  }
}

/** Bytes of the answer's body. */
export function bytesOf(outcome: Observed): number {
  return outcome.kind === 'answered' ? outcome.body.bytes : 0;
}
