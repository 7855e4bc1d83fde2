import type { ErrorCode } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import { HeaderKind, headerName } from '../intake/header-names.ts';
import { responseHead } from './response-headers.ts';
import type { StallWatch } from './stall-watch.ts';
import { Watched } from './stall-watch.ts';

/** What the answers of one gateway have in common. */
export interface RelayPolicy {
  /** The value of `Via` on the way back. */
  readonly via: string;
  /** Headers that tell the client where its request went; `undefined` when it is not to know. */
  readonly exposed: ((exchange: Exchange) => readonly string[]) | undefined;
  readonly stalls: StallWatch;
  /** Bound on a client that does not take its answer, milliseconds. */
  readonly clientStallMs: number;
}

/** Where the relay's bytes come from: it can be asked to wait. */
export interface RelaySource {
  pause(): void;
  resume(): void;
  /** The exchange cannot go on, for this reason. */
  abandon(code: ErrorCode): void;
}

/** Interim answers before the final one. Each of them puts off the backend's deadline. */
export const INTERIM_MAX = 64;

/**
 * Carries one backend's answer to the client as it comes: head, interim heads, body, trailers. Nothing is
 * kept; a client slower than the backend makes the backend wait. The tap of a read that is to be compared is
 * shown what passes.
 */
export class AnswerRelay {
  readonly #exchange: Exchange;
  readonly #policy: RelayPolicy;
  readonly #source: RelaySource;
  #interims = 0;
  #expected = -1;
  #received = 0;
  #ended = false;
  #flushed = false;
  #blocked: Watched | undefined;

  constructor(exchange: Exchange, policy: RelayPolicy, source: RelaySource) {
    this.#exchange = exchange;
    this.#policy = policy;
    this.#source = source;
  }

  /** The whole answer was handed to the client's side. */
  get ended(): boolean {
    return this.#ended;
  }

  interim(status: number, raw: readonly string[]): void {
    this.#interims += 1;
    if (this.#interims > INTERIM_MAX) {
      this.#source.abandon('backend_malformed');
      return;
    }
    // A client that has not asked would not know what to make of it.
    if (status === 100 && !this.#exchange.head.expectContinue) return;
    this.#exchange.answer.inform(status, responseHead(raw).headers);
  }

  head(status: number, reason: string, raw: readonly string[]): void {
    const exchange = this.#exchange;
    exchange.tap?.head(status, raw);
    const { headers, contentLength } = responseHead(raw);
    headers.push('via', this.#policy.via);
    if (this.#policy.exposed !== undefined) headers.push(...this.#policy.exposed(exchange));
    exchange.answered(status);
    exchange.answer.head(status, reason, headers);
    if (exchange.method === 'HEAD' || status === 204 || status === 304) return;
    if (contentLength !== undefined) this.#expected = contentLength;
    // Whatever of the body came with the head is relayed in this same turn; a head that came alone
    // (server-sent events, a slow body) must not wait for it.
    if (this.#expected !== 0) queueMicrotask(() => this.#flushBareHead());
  }

  data(chunk: Buffer): void {
    this.#received += chunk.length;
    const { tap } = this.#exchange;
    if (tap !== undefined) tap.piece(chunk);
    if (this.#received === this.#expected) {
      // The last piece goes out together with the end, in one write.
      this.#ended = true;
      if (tap !== undefined) tap.whole();
      if (this.#received === chunk.length && !this.#flushed) this.#exchange.answer.endWhole(chunk);
      else this.#exchange.answer.end(chunk, undefined);
      return;
    }
    if (!this.#exchange.answer.write(chunk)) this.#wait();
  }

  end(rawTrailers: readonly string[] | undefined): void {
    this.#unwatch();
    if (this.#ended) return;
    this.#ended = true;
    this.#exchange.tap?.whole();
    const trailers =
      rawTrailers === undefined || rawTrailers.length === 0 ? undefined : trailersOf(rawTrailers);
    this.#exchange.answer.end(undefined, trailers);
  }

  /** Nothing more will come. */
  stop(): void {
    this.#unwatch();
  }

  #flushBareHead(): void {
    if (this.#received > 0 || this.#ended || this.#exchange.ended) return;
    this.#flushed = true;
    this.#exchange.answer.flush();
  }

  #wait(): void {
    this.#source.pause();
    if (this.#blocked === undefined) {
      const blocked = new Watched(this.#policy.clientStallMs, () => {
        this.#source.abandon('client_stalled');
      });
      this.#blocked = blocked;
      this.#exchange.answer.onDrain(() => {
        this.#policy.stalls.remove(blocked);
        this.#source.resume();
      });
    }
    this.#policy.stalls.add(this.#blocked);
  }

  #unwatch(): void {
    if (this.#blocked !== undefined) this.#policy.stalls.remove(this.#blocked);
  }
}

/** Trailers may add to an answer; they may not change its framing, its route or how it is read (RFC 9110, 6.5.1). */
function trailersOf(raw: readonly string[]): string[] {
  const { headers } = responseHead(raw);
  const trailers: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (headerName(name).kind === HeaderKind.endToEnd) trailers.push(name, headers[i + 1] ?? '');
  }
  return trailers;
}
