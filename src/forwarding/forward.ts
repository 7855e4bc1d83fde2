/**
 * Sends one request to its backend and relays the answer.
 *
 *  1. The pool has room: `gateway.ts` has looked, for this way of sending and for the plain one.
 *  2. Headers are made ready; a body is a stream of the gateway's own.
 *  3. The request is handed to the pool. Waiting for a connection is bounded.
 *  4. A connection was found: from here on a failure may mean that the backend has acted.
 *  5. Interim answers and the head are relayed.
 *  6. The body is relayed as it comes; whoever is slower makes the other wait.
 *  7. The end, with trailers.
 *  8. A failure: repeated once where that is safe, else named by its row in the table of errors. If somebody stands by
 *     this read and its client has no byte of the answer yet, it is told to that one instead of the client.
 *
 * The client may leave at any step; then the backend's side is ended at once.
 */
import type { ErrorCode } from '../errors.ts';
import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Backend } from '../model.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import type { BackendConnection, BackendExchange } from '../upstream/backend-connection.ts';
import { ConnectionFailure } from '../upstream/connection-failure.ts';
import { backendFailure, type Progress } from '../upstream/failure.ts';
import type { BackendRequest, WholeBody } from '../upstream/request-bytes.ts';
import { AnswerRelay, type RelayPolicy, type RelaySource } from './answer-relay.ts';
import { type AttemptPolicy, beginAttempt, beginRefused } from './begin-attempt.ts';
import { KeptAnswer } from './kept-answer.ts';
import { RequestBody } from './request-body.ts';
import { requestHeaders, requestTrailers } from './request-headers.ts';
import { Watched } from './stall-watch.ts';
import { isOfBackend, type Standby } from './standby.ts';

export interface ForwardPolicy extends RelayPolicy, AttemptPolicy {
  /** The pseudonym in `Via`. */
  readonly pseudonym: string;
  /** This write, decided before, must not reach its backend any more. */
  readonly fencedOff: (exchange: Exchange) => boolean;
  /** A request is sent a second time. */
  readonly onRetry: (backend: Backend) => void;
}

/** RFC 9110, 9.2.2: sent twice they have the effect of once. A body cannot be sent twice: it is not kept. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY', 'PROPFIND']);
/** Reads by their method; a route may say that its `GET` changes things. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

const ASCII = /^[\t\x20-\x7e]*$/;

export class Forward implements BackendExchange, RelaySource {
  readonly #exchange: Exchange;
  readonly #client: BackendClient;
  readonly #policy: ForwardPolicy;
  readonly #relay: AnswerRelay;
  readonly #request: BackendRequest;
  /** Where it is, once it is sent. */
  #connection: BackendConnection | undefined;
  #progress: Progress = 'connecting';
  #answerBegan = false;
  #repeated = false;
  /** It goes on elsewhere, or its client was told how it ended. */
  #gaveUp = false;
  readonly #standby: Standby | undefined;
  /** An answer that is held back from the client. */
  #kept: KeptAnswer | undefined;
  readonly #body: RequestBody | undefined;
  readonly #upload: Watched | undefined;
  #connectTimer: NodeJS.Timeout | undefined;

  /**
   * @param body the body as a stream, or as a whole if it is small and here; `undefined` for none
   * @param standby for a read that could be sent elsewhere: never with a stream
   */
  constructor(
    exchange: Exchange,
    client: BackendClient,
    policy: ForwardPolicy,
    body: RequestBody | WholeBody | undefined,
    standby?: Standby,
  ) {
    this.#exchange = exchange;
    this.#client = client;
    this.#policy = policy;
    this.#standby = standby;
    if (body instanceof RequestBody) {
      this.#body = body;
      this.#upload = this.#watchUpload(body);
    }
    this.#relay = new AnswerRelay(exchange, policy, this);
    const { head } = exchange;
    const { model } = client;
    const host = model.hostHeader === 'client' && head.host !== undefined ? head.host : client.host;
    this.#request = {
      method: exchange.method,
      path: exchange.target === '*' ? '*' : model.basePath + exchange.target,
      host,
      headers: requestHeaders(
        {
          head,
          connection: exchange.connection,
          requestId: exchange.requestId,
          http2: exchange.http2,
          httpVersion: exchange.request.httpVersion,
        },
        host,
        policy.pseudonym,
      ),
      contentLength: head.contentLength === undefined ? undefined : Number(head.contentLength),
      expectContinue: head.expectContinue && this.#body !== undefined,
      body: body ?? null,
      trailers: () => requestTrailers(exchange.request.rawTrailers),
    };
  }

  start(): void {
    const exchange = this.#exchange;
    this.#listen();
    if (this.#standby !== undefined && !this.#client.hasRoom) {
      beginRefused(exchange, this.#client.backend, this.#policy);
      this.#giveUp('backend_overloaded');
      return;
    }
    beginAttempt(exchange, this.#client.backend, this.#policy, this.#body);
    this.#send();
  }

  /** To the client's side. */
  #listen(): void {
    // A function that is written where it is assigned to a property is made in the old generation, by V8's parser, and
    // keeps the whole request until that is collected. See ARCHITECTURE.md, 'What a request leaves behind'.
    const giveUp = (code: ErrorCode | undefined): void => this.#giveUp(code);
    this.#exchange.onInterrupt = giveUp;
  }

  #send(): void {
    this.#progress = 'connecting';
    this.#client.send(this.#request, this);
    if (this.#progress === 'connecting' && !this.#gaveUp) {
      // The pool's own bound is on making a connection; this one is also on waiting for a free one.
      this.#connectTimer ??= setTimeout(
        () => this.#giveUp('backend_connect_timeout'),
        this.#client.model.connectMs,
      );
    }
  }

  onSending(connection: BackendConnection): void {
    this.#connection = connection;
    if (this.#policy.fencedOff(this.#exchange)) {
      this.#giveUp('fenced');
      return;
    }
    this.#progress = 'sent';
    this.#exchange.atBackend = true;
    clearTimeout(this.#connectTimer);
    this.#connectTimer = undefined;
    if (this.#upload !== undefined) this.#policy.stalls.add(this.#upload);
  }

  onAnswerBegun(): void {
    this.#answerBegan = true;
  }

  onHead(status: number, reason: string, raw: readonly string[]): void {
    if (status < 200) {
      this.#relay.interim(status, raw);
      return;
    }
    this.#progress = 'answering';
    // Its encoding is anybody's guess beyond ASCII.
    const phrase = ASCII.test(reason) ? reason : '';
    if (this.#standby?.passes(status) === false) {
      this.#kept = new KeptAnswer(status, phrase, raw);
      this.#exchange.attempt?.answered(status);
      this.#exchange.attempt?.over(undefined);
      this.#standby.failed(undefined);
      return;
    }
    this.#relay.head(status, phrase, raw);
  }

  onData(piece: Buffer): void {
    if (this.#kept === undefined) this.#relay.data(piece);
    else if (!this.#kept.add(piece)) this.pause();
  }

  onEnd(trailers: readonly string[]): void {
    this.#settled();
    if (this.#kept !== undefined) {
      this.#kept.end(trailers);
      return;
    }
    this.#relay.end(trailers);
    this.#standby?.over();
  }

  onError(error: Error): void {
    this.#settled();
    if (this.#kept !== undefined) {
      this.#kept.cause = error;
      return;
    }
    if (this.#relay.ended) {
      this.#standby?.over();
      return;
    }
    if (this.#mayRepeat(error)) {
      this.#repeated = true;
      this.#connection = undefined;
      this.#policy.onRetry(this.#client.backend);
      this.#send();
      return;
    }
    this.#gaveUp = true;
    this.#exchange.onInterrupt = undefined;
    this.#fail(backendFailure(error, this.#progress));
  }

  /** The answer that was kept goes to the client after all. */
  give(): void {
    const kept = this.#kept;
    if (kept === undefined || this.#gaveUp) return;
    this.#kept = undefined;
    this.#listen();
    kept.giveTo(this.#relay);
    if (kept.whole) this.#standby?.over();
    else if (kept.cause === undefined) this.resume();
    else {
      this.#relay.stop();
      this.#fail(backendFailure(kept.cause, this.#progress));
    }
  }

  /** Ends the backend's side, and tells nobody: the exchange goes on elsewhere, or is over. */
  drop(): void {
    if (!this.#gaveUp) this.#stop();
  }

  pause(): void {
    this.#connection?.pause(this);
  }

  resume(): void {
    this.#connection?.resume(this);
  }

  abandon(code: ErrorCode): void {
    this.#giveUp(code);
  }

  /** The connection had served before, said nothing of this request, and what is sent can be sent again. */
  #mayRepeat(error: Error): boolean {
    const { method, requestClass } = this.#exchange;
    return (
      !this.#repeated &&
      this.#progress === 'sent' &&
      !this.#answerBegan &&
      this.#request.body === null &&
      IDEMPOTENT.has(method) &&
      (requestClass === 'read' || !READS.has(method)) &&
      error instanceof ConnectionFailure &&
      error.kind === 'closed' &&
      error.wasUsed
    );
  }

  #watchUpload(body: RequestBody): Watched {
    const upload = new Watched(this.#client.model.bodyMs, () => {
      this.#giveUp(body.hungry ? 'request_body_stalled' : 'backend_upload_stalled');
    });
    const moved = (): void => {
      upload.moved = true;
    };
    body.onMove = moved;
    body.once('close', () => this.#policy.stalls.remove(upload));
    return upload;
  }

  /** Ends the backend's side. With a code the client is told; without one it is the client that left. */
  #giveUp(code: ErrorCode | undefined): void {
    if (this.#gaveUp) return;
    this.#stop();
    if (code === undefined) this.#standby?.over();
    else this.#fail(new TurnoutError(code));
  }

  #stop(): void {
    this.#gaveUp = true;
    this.#settled();
    if (this.#connection === undefined) this.#client.takeBack(this);
    else this.#connection.abort(this);
    this.#body?.destroy();
  }

  #fail(failure: TurnoutError): void {
    if (this.#standby !== undefined && this.#progress !== 'answering' && isOfBackend(failure)) {
      this.#exchange.attempt?.over(failure.code);
      this.#standby.failed(failure);
      return;
    }
    this.#exchange.fail(failure);
    this.#standby?.over();
  }

  /** Nothing is watched any more. */
  #settled(): void {
    clearTimeout(this.#connectTimer);
    this.#relay.stop();
    if (this.#upload !== undefined) this.#policy.stalls.remove(this.#upload);
  }
}
