/**
 * Sends the few requests that undici cannot send: `Expect: 100-continue` (the backend decides whether the
 * body is wanted), announced request trailers, the target `*`, and a body that keeps its client waiting:
 * undici sends a head together with the first piece of its body, and not before. Each has a connection of its own, so
 * nothing is ever repeated. Costs more CPU than the common way: a connection each.
 */

import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ErrorCode } from '../errors.ts';
import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import { HeaderKind, headerName } from '../intake/header-names.ts';
import type { BackendClient } from '../upstream/backend-client.ts';
import { backendFailure, type Progress } from '../upstream/failure.ts';
import { AnswerRelay, type RelaySource } from './answer-relay.ts';
import { beginAttempt } from './begin-attempt.ts';
import type { ForwardPolicy } from './forward.ts';
import type { RequestBody } from './request-body.ts';
import { requestHeaders } from './request-headers.ts';
import { Watched } from './stall-watch.ts';

/** Whether a request has to take this way. */
export function needsPlainForward(exchange: Exchange): boolean {
  const { head } = exchange;
  return head.expectContinue || exchange.target === '*' || (head.trailer !== undefined && exchange.hasBody);
}

export class ForwardPlainly implements RelaySource {
  readonly #exchange: Exchange;
  readonly #client: BackendClient;
  readonly #policy: ForwardPolicy;
  readonly #relay: AnswerRelay;
  readonly #sending: ClientRequest;
  #incoming: IncomingMessage | undefined;
  #progress: Progress = 'connecting';
  #timer: NodeJS.Timeout | undefined;
  #answerStall: Watched | undefined;
  #over = false;

  readonly #body: RequestBody | undefined;

  /** @param body `undefined` for a request without one */
  constructor(
    exchange: Exchange,
    client: BackendClient,
    policy: ForwardPolicy,
    body: RequestBody | undefined,
  ) {
    this.#exchange = exchange;
    this.#client = client;
    this.#policy = policy;
    this.#body = body;
    this.#relay = new AnswerRelay(exchange, policy, this);
    client.pending += 1;
    const { model } = client;
    this.#sending = (client.secure ? httpsRequest : httpRequest)({
      agent: client.agent,
      host: client.hostname,
      port: client.port,
      method: exchange.method,
      path: exchange.target === '*' ? '*' : model.basePath + exchange.target,
      headers: plainHeaders(exchange, client, policy.pseudonym),
      setHost: false,
      setDefaultHeaders: false,
      maxHeaderSize: 64 * 1024,
    });
  }

  start(): void {
    const exchange = this.#exchange;
    const { model } = this.#client;
    const giveUp = (code: ErrorCode | undefined): void => this.#giveUp(code);
    exchange.onInterrupt = giveUp;
    beginAttempt(exchange, this.#client.backend, this.#policy, this.#body);
    this.#timer = setTimeout(() => this.#giveUp('backend_connect_timeout'), model.connectMs);
    this.#sending
      .on('socket', (socket) => {
        if (socket.connecting)
          socket.once(this.#client.secure ? 'secureConnect' : 'connect', () => this.#sent());
        else this.#sent();
      })
      .on('continue', () => exchange.answer.inform(100, []))
      .on('information', ({ statusCode, rawHeaders }) => {
        if (statusCode !== 100) this.#relay.interim(statusCode, rawHeaders);
      })
      .on('response', (incoming) => this.#onResponse(incoming))
      .on('error', (error) => this.#fail(error))
      .on('close', () => {
        this.#client.pending -= 1;
        clearTimeout(this.#timer);
      });
    if (this.#body === undefined) this.#sending.end();
    else this.#send(this.#body);
  }

  #sent(): void {
    if (this.#policy.fencedOff(this.#exchange)) {
      this.#giveUp('fenced');
      return;
    }
    this.#progress = 'sent';
    this.#exchange.atBackend = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp('backend_headers_timeout'), this.#client.model.headersMs);
  }

  #send(body: RequestBody): void {
    const { request } = this.#exchange;
    const upload = new Watched(this.#client.model.bodyMs, () => {
      this.#giveUp(body.hungry ? 'request_body_stalled' : 'backend_upload_stalled');
    });
    const moved = (): void => {
      upload.moved = true;
      // A backend that waits for the body is not slow to answer.
      if (this.#progress === 'sent') this.#timer?.refresh();
    };
    body.onMove = moved;
    this.#policy.stalls.add(upload);
    // The backend may answer, or ask for the body, before any of it has come.
    this.#sending.flushHeaders();
    body
      .on('data', (chunk) => {
        if (!this.#sending.write(chunk)) body.pause();
      })
      .once('end', () => {
        const { rawTrailers } = request;
        if (rawTrailers.length > 0 && this.#exchange.head.contentLength === undefined)
          this.#sending.addTrailers(trailerPairs(rawTrailers));
        this.#sending.end();
      })
      .on('error', (error) => this.#fail(error))
      .once('close', () => this.#policy.stalls.remove(upload));
    this.#sending.on('drain', () => body.resume()).once('close', () => body.destroy());
  }

  #onResponse(incoming: IncomingMessage): void {
    if (this.#over) {
      incoming.destroy();
      return;
    }
    clearTimeout(this.#timer);
    this.#incoming = incoming;
    this.#progress = 'answering';
    const stall = new Watched(this.#client.model.bodyMs, () => {
      if (!incoming.isPaused()) this.#giveUp('backend_body_stalled');
    });
    this.#answerStall = stall;
    this.#policy.stalls.add(stall);
    this.#relay.head(incoming.statusCode ?? 502, incoming.statusMessage ?? '', incoming.rawHeaders);
    incoming
      .on('data', (chunk: Buffer) => {
        stall.moved = true;
        this.#relay.data(chunk);
      })
      .on('end', () => {
        this.#over = true;
        this.#policy.stalls.remove(stall);
        this.#relay.end(incoming.rawTrailers);
        // An answer that came before the request was over: the rest of it is not wanted.
        if (!this.#sending.writableFinished) this.#sending.destroy();
      })
      .on('error', (error) => this.#fail(error));
  }

  pause(): void {
    this.#incoming?.pause();
    if (this.#answerStall !== undefined) this.#policy.stalls.remove(this.#answerStall);
  }

  resume(): void {
    this.#incoming?.resume();
    if (this.#answerStall !== undefined && !this.#over) this.#policy.stalls.add(this.#answerStall);
  }

  abandon(code: ErrorCode): void {
    this.#giveUp(code);
  }

  #fail(error: Error): void {
    if (this.#over || this.#relay.ended) return;
    this.#exchange.onInterrupt = undefined;
    const failure = backendFailure(error, this.#progress);
    this.#stop();
    this.#exchange.fail(failure);
  }

  #giveUp(code: ErrorCode | undefined): void {
    if (this.#over) return;
    this.#stop();
    if (code !== undefined) this.#exchange.fail(new TurnoutError(code));
  }

  #stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#answerStall !== undefined) this.#policy.stalls.remove(this.#answerStall);
    this.#relay.stop();
    this.#sending.destroy();
    this.#incoming?.destroy();
  }
}

function plainHeaders(exchange: Exchange, client: BackendClient, pseudonym: string): string[] {
  const { head, connection, requestId, http2 } = exchange;
  const host = client.model.hostHeader === 'client' && head.host !== undefined ? head.host : client.host;
  const { httpVersion } = exchange.request;
  const headers = requestHeaders({ head, connection, requestId, http2, httpVersion }, host, pseudonym);
  headers.push('connection', 'close');
  if (head.expectContinue) headers.push('expect', '100-continue');
  if (head.trailer !== undefined) headers.push('trailer', head.trailer);
  if (exchange.hasBody && head.contentLength === undefined) headers.push('transfer-encoding', 'chunked');
  return headers;
}

/** Trailers may add to a request; they may not change its framing, its route or whose it is. */
function trailerPairs(raw: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (headerName(name).kind === HeaderKind.endToEnd) out.push([name, raw[i + 1] ?? '']);
  }
  return out;
}
