import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { ErrorCode } from '../errors.ts';
import { ERRORS, TurnoutError } from '../errors.ts';
import type { Backend, Decision, RequestClass, RoutePolicy, UserRecord } from '../model.ts';
import { ABSENT_RECORD } from '../model.ts';
import type { Answer } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { CountedAttempt } from './counted-attempt.ts';
import type { CountedWrite, WriteCount } from './counted-write.ts';
import type { ExchangeTap } from './exchange-tap.ts';
import { http1Headers } from './http2-headers.ts';
import { problemBody, problemHeaders } from './problem.ts';
import { type RequestHead, UNREAD_HEAD } from './request-head.ts';
import { requestIdOf } from './request-id.ts';
import { RequestView } from './request-view.ts';

export type ClientRequest = IncomingMessage | Http2ServerRequest;

/** The route of an exchange: what the decision needs of it, and whether it serves anonymous requests. */
export interface ExchangeRoute extends RoutePolicy {
  readonly requireUser: boolean;
  /** What the route says; `undefined`: the method decides. */
  readonly class: RequestClass | undefined;
  /** The share of reads that are shadowed, 0 to 1. */
  readonly shadowSample: number;
}

/** What an exchange tells when it is over. */
export interface ExchangeObserver {
  /** Called exactly once, with the way the exchange ended. */
  onEnd(exchange: Exchange, status: number, failure: ErrorCode | undefined): void;
}

/**
 * One request and its answer: what the stages of the pipeline learn about it, and the one place where it
 * ends. Whatever happens, `end` runs once, and classifies it.
 */
export class Exchange extends RequestView implements CountedWrite {
  readonly request: ClientRequest;
  readonly answer: Answer;
  readonly connection: ClientConnection;
  readonly http2: boolean;
  /** Milliseconds of the process's monotonic clock. */
  readonly startedMs: number;
  /** Read by the first stage of the pipeline. */
  head: RequestHead = UNREAD_HEAD;
  requestId = '';

  route: ExchangeRoute | undefined;
  requestClass: RequestClass = 'write';
  record: UserRecord = ABSENT_RECORD;
  decision: Decision | undefined;
  backend: Backend | undefined;
  /** When the request was handed to the backend's pool; 0 before. */
  forwardedMs = 0;
  /** The backend has the request, or a part of it, and has not answered. */
  atBackend = false;
  /** Time spent waiting for somebody else (identity, state, hold), which is no overhead of the gateway's own. */
  waitedMs = 0;

  /** Where this write is counted while it is in flight. */
  countedIn: WriteCount | undefined;

  /** The latest sending of it to a backend, where such are counted. */
  attempt: CountedAttempt | undefined;

  /** It counts among the reads in flight. */
  countedRead = false;
  /** `legacy` answers because `new` failed. */
  fallback = false;

  /** Set for the reads that are chosen to be compared, before they are sent. */
  tap: ExchangeTap | undefined;

  /** The request's body, once somebody reads it. */
  upload: { readonly whole: boolean } | undefined;

  /**
   * Called when the client's side fails before the answer is whole: with the error to answer if the client is
   * still there to read it, without one if it left. Set by whoever works for the exchange now.
   */
  onInterrupt: ((code: ErrorCode | undefined) => void) | undefined;

  #status = 0;
  #failure: ErrorCode | undefined;
  #ended = false;
  #handedOver = false;
  readonly #observer: ExchangeObserver;

  constructor(
    request: ClientRequest,
    answer: Answer,
    connection: ClientConnection,
    observer: ExchangeObserver,
    nowMs: number,
  ) {
    const { rawHeaders } = request;
    super(
      request.method ?? '',
      request.url ?? '',
      request.httpVersionMajor === 2 ? http1Headers(rawHeaders) : rawHeaders,
    );
    this.request = request;
    this.answer = answer;
    this.connection = connection;
    this.#observer = observer;
    this.startedMs = nowMs;
    this.http2 = request.httpVersionMajor === 2;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get #uploadIsWhole(): boolean {
    // Node calls a stream complete that was reset.
    return this.http2 ? (this.upload?.whole ?? true) : this.request.complete;
  }

  /** It was answered with an error, which may still be on its way. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** The request carries a body, however short. */
  get hasBody(): boolean {
    if (this.http2) {
      const { request } = this;
      return 'stream' in request && !request.stream.endAfterHeaders;
    }
    const { chunked, contentLength } = this.head;
    return chunked || (contentLength !== undefined && contentLength !== '0');
  }

  /** The connection now belongs to a tunnel, whose end is the end of this exchange. */
  handedOver(status: number): void {
    this.attempt?.answered(status);
    this.#status = status;
    this.#handedOver = true;
  }

  /** The backend's status, noted for the final classification. */
  answered(status: number): void {
    this.atBackend = false;
    this.attempt?.answered(status);
    this.#status = status;
  }

  /**
   * Ends the exchange with one of the table's errors: a problem document while the head was not sent, a cut
   * connection after.
   */
  fail(error: unknown): void {
    if (this.#ended || this.#failure !== undefined) return;
    const code = error instanceof TurnoutError ? error.code : 'internal';
    this.#failure = code;
    this.attempt?.over(code);
    this.onInterrupt = undefined;
    const { status, stage } = ERRORS[code];
    if (this.answer.headSent || status === 0) {
      this.answer.cut();
      return;
    }
    // What follows such a head on its connection may not be what this side takes it for.
    if (stage === 'request head, client') this.answer.closeAfter();
    if (this.requestId === '') this.requestId = requestIdOf(undefined);
    const body = problemBody(code, this.requestId);
    this.#status = status;
    this.answer.head(status, ERRORS[code].title, problemHeaders(code, this.requestId, body));
    this.answer.end(this.method === 'HEAD' ? undefined : body, undefined);
  }

  /** The client's body breaks the protocol: what follows on its connection has no known meaning. */
  breakBody(): void {
    this.answer.closeAfter();
    const interrupted = this.onInterrupt;
    if (interrupted === undefined) this.fail(new TurnoutError('malformed_request'));
    else interrupted('malformed_request');
  }

  /** The connection or stream is done with this exchange, in whatever way. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    const interrupted = this.onInterrupt;
    this.onInterrupt = undefined;
    if (!this.answer.finished && this.#failure === undefined && !this.#handedOver) {
      this.#failure = this.#uploadIsWhole ? 'client_closed' : 'client_closed_upload';
      interrupted?.(undefined);
    }
    this.attempt?.over(this.#failure);
    this.#observer.onEnd(this, this.#status, this.#failure);
    const { tap } = this;
    if (tap === undefined) return;
    this.tap = undefined;
    tap.over(this.#failure === undefined && this.#uploadIsWhole);
  }
}
