/** A read that is to be repeated: what is needed to send it again, and the answer that its user got. */
import type { Observation } from '../comparison/observation.ts';
import type { ClientConnection } from '../intake/client-connection.ts';
import type { Exchange, ExchangeRoute } from '../intake/exchange.ts';
import type { ExchangeTap } from '../intake/exchange-tap.ts';
import type { RequestHead } from '../intake/request-head.ts';
import { RequestView } from '../intake/request-view.ts';
import type { Backend, User } from '../model.ts';
import { type ByteBudget, KeptBody } from '../upstream/kept-body.ts';
import type { ShadowSkip } from './report-sink.ts';

/** What a read was when it was decided. It refers to no socket and to no stream, so that it may live longer. */
export interface DecidedRead {
  readonly view: RequestView;
  readonly route: ExchangeRoute;
  readonly cohort: string | undefined;
  readonly user: User | undefined;
  /** The side that serves the user; the other one is the secondary. */
  readonly authoritative: Backend;
  readonly secondary: Backend;
  readonly head: RequestHead;
  readonly connection: ClientConnection;
  readonly requestId: string;
  readonly http2: boolean;
  /** `1.1`, `1.0` or `2.0`. */
  readonly httpVersion: string;
  readonly hasBody: boolean;
}

/** Before it is sent: the forwarder adds to the list of headers. */
export function decidedRead(exchange: Exchange, route: ExchangeRoute, secondary: Backend): DecidedRead {
  const { head, connection, requestId, http2, hasBody, user } = exchange;
  const view = new RequestView(exchange.method, exchange.target, exchange.rawHeaders);
  view.params = exchange.params;
  view.claims = exchange.claims;
  view.user = user;
  return {
    view,
    route,
    cohort: exchange.decision?.cohort,
    user,
    authoritative: secondary === 'new' ? 'legacy' : 'new',
    secondary,
    head: { ...head, headers: [...head.headers] },
    connection,
    requestId,
    http2,
    httpVersion: exchange.request.httpVersion,
    hasBody,
  };
}

export class ChosenRead implements ExchangeTap {
  readonly decided: DecidedRead;
  /** Let go of when it is over: it holds on to sockets. */
  #exchange: { readonly forwardedMs: number } | undefined;
  readonly #onOver: (read: ChosenRead, skip: ShadowSkip | undefined) => void;
  readonly #now: () => number;
  readonly #request: KeptBody;
  readonly #answer: KeptBody;
  #status = 0;
  #raw: readonly string[] = [];
  #isWhole = false;
  #durationMs = 0;

  /**
   * @param options.bodyBytesMax of the request's body and of the answer's, each
   * @param options.onOver called once, when the client is done; with a reason if there is nothing to compare
   */
  constructor(
    decided: DecidedRead,
    exchange: { readonly forwardedMs: number },
    options: {
      readonly bodyBytesMax: number;
      readonly budget: ByteBudget;
      readonly now: () => number;
      readonly onOver: (read: ChosenRead, skip: ShadowSkip | undefined) => void;
    },
  ) {
    this.decided = decided;
    this.#exchange = exchange;
    this.#now = options.now;
    this.#onOver = options.onOver;
    this.#request = new KeptBody(options.bodyBytesMax, options.budget);
    this.#answer = new KeptBody(options.bodyBytesMax, options.budget);
  }

  requestPiece(piece: Buffer): void {
    this.#request.add(piece);
  }

  head(status: number, raw: readonly string[]): void {
    this.#status = status;
    this.#raw = raw;
  }

  piece(piece: Buffer): void {
    this.#answer.add(piece);
  }

  whole(): void {
    this.#isWhole = true;
    if (this.#exchange !== undefined) this.#durationMs = this.#now() - this.#exchange.forwardedMs;
  }

  over(delivered: boolean): void {
    this.#exchange = undefined;
    const skip = delivered ? this.#unusable() : 'not_whole';
    if (skip !== undefined) this.release();
    this.#onOver(this, skip);
  }

  /** Milliseconds from handing the request to the pool to the whole answer. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** Bytes of the answer's body. */
  get bytes(): number {
    return this.#answer.bytes;
  }

  get status(): number {
    return this.#status;
  }

  /** What the request's body was; `undefined` for none. */
  requestBody(): Buffer | undefined {
    return this.decided.hasBody ? this.#request.whole() : undefined;
  }

  /** The answer as the backend gave it. Its bytes are good until `release`. */
  observation(): Observation {
    return Object.freeze({
      status: this.#status,
      headers: this.#raw,
      body: this.#answer.whole(),
      bodyTruncated: false,
      durationMs: this.#durationMs,
    });
  }

  /** Forgets the bodies. Any number of times. */
  release(): void {
    this.#request.release();
    this.#answer.release();
    this.#raw = [];
  }

  #unusable(): ShadowSkip | undefined {
    if (!this.#isWhole) return 'not_whole';
    if (this.#answer.dropped === 'too_large') return 'body_too_large';
    if (this.#request.dropped === 'too_large') return 'request_body_too_large';
    return this.#answer.dropped ?? this.#request.dropped;
  }
}
