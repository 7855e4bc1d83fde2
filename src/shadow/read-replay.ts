/**
 * Reads of stored samples, asked again on both sides: whether a difference is still there. Needs no gateway, so that
 * whoever serves the admin API can do it.
 */
import { compare } from '../comparison/compare.ts';
import type { CompiledRules } from '../comparison/compile-rules.ts';
import type { Comparison } from '../comparison/difference.ts';
import type { Observation } from '../comparison/observation.ts';
import type { ConfigModel } from '../config/model.ts';
import type { Backend } from '../model.ts';
import { ByteBudget } from '../upstream/kept-body.ts';
import type { ReadOutcome } from '../upstream/read-answer.ts';
import { ShadowClient } from '../upstream/shadow-client.ts';
import {
  comparisonWithoutCredentials,
  isHiddenTarget,
  observationWithoutCredentials,
} from './credentials.ts';
import { observationOf, releaseOutcome } from './read-pair.ts';
import type { ShadowRequest, ShadowSkip } from './report-sink.ts';
import { replayedRead } from './shadow-request.ts';

/** What came of asking again. */
export type ReplayOutcome =
  | {
      readonly kind: 'compared';
      readonly comparison: Comparison;
      /** Without credentials. Their bodies must not be kept. */
      readonly answers: { readonly authoritative: Observation; readonly secondary: Observation };
    }
  /** It cannot be asked again: not a `GET` or `HEAD`, or a credential in its query was not stored. */
  | { readonly kind: 'impossible'; readonly why: 'method' | 'credential_in_query' }
  | { readonly kind: 'skipped'; readonly reason: ShadowSkip };

export interface ReplaysReads {
  /**
   * Asks both sides at the same time, within `shadow.deadlineMs`. Never rejects.
   *
   * @param authoritative the side that served the user then
   * @param rules to compare by
   */
  replay(request: ShadowRequest, authoritative: Backend, rules: CompiledRules): Promise<ReplayOutcome>;
}

/** Samples are asked again one by one: two bodies at a time. */
const BODIES = 2;

export class ReadReplay implements ReplaysReads {
  readonly #config: () => Pick<ConfigModel, 'shadow'>;
  readonly #clients: { readonly [B in Backend]: ShadowClient };
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param config asked for each replay, so that a reload takes effect; backends stay what they were
   * @throws Error when a certificate file cannot be read
   */
  constructor(config: () => Pick<ConfigModel, 'shadow' | 'backends'>) {
    this.#config = config;
    const { legacy, new: renewed } = config().backends;
    this.#clients = { legacy: new ShadowClient('legacy', legacy), new: new ShadowClient('new', renewed) };
  }

  replay(request: ShadowRequest, authoritative: Backend, rules: CompiledRules): Promise<ReplayOutcome> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return Promise.resolve({ kind: 'impossible', why: 'method' });
    }
    if (isHiddenTarget(request.target)) {
      return Promise.resolve({ kind: 'impossible', why: 'credential_in_query' });
    }
    const turn = this.#last.then(() => this.#ask(request, authoritative, rules));
    this.#last = turn;
    return turn;
  }

  close(): void {
    this.#clients.legacy.destroy();
    this.#clients.new.destroy();
  }

  async #ask(request: ShadowRequest, authoritative: Backend, rules: CompiledRules): Promise<ReplayOutcome> {
    const { deadlineMs, bodyBytesMax, replayHeaders } = this.#config().shadow;
    const budget = new ByteBudget(BODIES * bodyBytesMax);
    const bounds = { deadlineMs, bodyBytesMax, budget, serverErrorsAreFine: true };
    const secondary = authoritative === 'legacy' ? 'new' : 'legacy';
    const ask = (side: Backend): Promise<ReadOutcome> => {
      const client = this.#clients[side];
      return client.read(replayedRead(request, client, replayHeaders), bounds);
    };
    const [left, right] = await Promise.all([ask(authoritative), ask(secondary)]);
    try {
      if (left.kind === 'skipped') return { kind: 'skipped', reason: left.reason };
      if (right.kind === 'skipped') return { kind: 'skipped', reason: right.reason };
      const answers = { authoritative: observationOf(left), secondary: observationOf(right) };
      const comparison = compare(answers.authoritative, answers.secondary, rules, { authoritative });
      return {
        kind: 'compared',
        comparison: comparisonWithoutCredentials(comparison),
        answers: {
          authoritative: observationWithoutCredentials(answers.authoritative),
          secondary: observationWithoutCredentials(answers.secondary),
        },
      };
    } finally {
      releaseOutcome(left);
      releaseOutcome(right);
    }
  }
}
