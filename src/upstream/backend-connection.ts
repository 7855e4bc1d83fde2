/**
 * One connection to a backend. It carries one request at a time:
 *
 *     connecting ─▶ idle ─▶ sent ─▶ answering ─▶ idle …
 *          └──────────┴───────┴────────┴──▶ closed
 *
 * It may go back to idle only when the answer was whole, the request was whole, nothing came beyond the answer, and the
 * backend keeps the connection.
 */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TurnoutError } from '../errors.ts';
import { MalformedAnswer } from './answer-head.ts';
import { type AnswerListener, AnswerReader } from './answer-reader.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { type BackendRequest, bytesOf, fieldLines, requestText, type WholeBody } from './request-bytes.ts';

/**
 * One request at a backend, as whoever sends it sees it. Unless it is aborted, `onEnd` or `onError` comes last, once; these
 * two must not throw. What the others throw fails the request.
 */
export interface BackendExchange extends AnswerListener {
  /** A connection is there, and nothing was sent yet: what is aborted in here is not sent. */
  onSending(connection: BackendConnection): void;
  onEnd(trailers: readonly string[]): void;
  onError(error: Error): void;
}

/** What the connections of one pool have in common. */
export interface ConnectionOwner {
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly connectMs: number;
  /** How long it stays open without a request, milliseconds. */
  readonly keepAliveMs: number;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly onConnected: (connection: BackendConnection) => void;
  readonly onIdle: (connection: BackendConnection) => void;
  /** @param error why it could not be made; `undefined` for one that had been made */
  readonly onClosed: (connection: BackendConnection, error: Error | undefined) => void;
}

/** Opens a socket whose bytes come into `buffer`, and are told to `onRead`. */
export type Connect = (buffer: Buffer, onRead: (bytes: number) => void) => Socket;

/** Small bodies are sent in one piece with their head, bytes. */
const JOINED_BYTES_MAX = 16_384;

/** What is read at a time, bytes. */
export const READ_BYTES_MAX = 131_072;

/**
 * All connections read into the same bytes: what is read is dealt with, or copied, before the next one reads. Twice the
 * usual 64 KiB, so that a body of that size comes with its head in one piece.
 */
const READ_BYTES = Buffer.allocUnsafeSlow(READ_BYTES_MAX);

type Phase = 'connecting' | 'idle' | 'sent' | 'answering' | 'closed';

export class BackendConnection {
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #phase: Phase = 'connecting';
  #exchange: BackendExchange | undefined;
  #upload: Readable | undefined;
  /** Bytes of the upload that may still come. */
  #uploadLeft = 0;
  /** Its client sends the body when the backend says so. */
  #waitsForGo = false;
  #isPaused = false;
  #answers = 0;
  /** Since when the present wait lasts. */
  #sinceMs: number;
  #keepAliveMs: number;

  constructor(owner: ConnectionOwner, connect: Connect, readyEvent: 'connect' | 'secureConnect') {
    this.#owner = owner;
    this.#keepAliveMs = owner.keepAliveMs;
    this.#sinceMs = owner.now();
    const socket = connect(READ_BYTES, (bytes) => this.#read(bytes));
    this.#socket = socket;
    socket
      .once(readyEvent, () => this.#connected())
      .on('drain', () => this.#upload?.resume())
      .on('end', () => this.#ended())
      .on('error', (error) => this.fail(this.#phase === 'connecting' ? error : this.#lost(error)))
      .on('close', () => this.fail(this.#lost()))
      .resume();
  }

  #connected(): void {
    this.#toIdle();
    this.#owner.onConnected(this);
  }

  /** Sends a request. The connection is still free after this if nothing of it was sent: it was aborted, or failed. */
  send(request: BackendRequest, exchange: BackendExchange): void {
    this.#exchange = exchange;
    let text: string;
    try {
      exchange.onSending(this);
      if (this.#exchange !== exchange) return;
      text = requestText(request);
    } catch (error) {
      if (this.#exchange !== exchange) throw error;
      this.abort(exchange);
      exchange.onError(errorOf(error));
      return;
    }
    this.#phase = 'sent';
    this.#sinceMs = this.#owner.now();
    this.#reader.expect(exchange, request.method === 'HEAD');
    const { body } = request;
    if (body === null) this.#socket.write(text, 'latin1');
    else if (body instanceof Readable) this.#sendStream(text, request, body);
    else this.#sendWhole(text, body);
  }

  #sendWhole(text: string, body: WholeBody): void {
    const socket = this.#socket;
    if (bytesOf(body) <= JOINED_BYTES_MAX) {
      let joined = text;
      for (const piece of body) joined += piece.toString('latin1');
      socket.write(joined, 'latin1');
      return;
    }
    socket.cork();
    socket.write(text, 'latin1');
    for (const piece of body) socket.write(piece);
    socket.uncork();
  }

  #sendStream(text: string, request: BackendRequest, body: Readable): void {
    const socket = this.#socket;
    const isChunked = request.contentLength === undefined;
    this.#upload = body;
    this.#uploadLeft = request.contentLength ?? Number.POSITIVE_INFINITY;
    this.#waitsForGo = request.expectContinue;
    // Together with the first piece, if that is here.
    socket.cork();
    socket.write(text, 'latin1');
    body
      .on('data', (piece: Buffer) => {
        // An empty chunk would be the last one.
        if (this.#upload !== body || piece.length === 0) return;
        this.#sinceMs = this.#owner.now();
        this.#waitsForGo = false;
        this.#uploadLeft -= piece.length;
        if (this.#uploadLeft < 0) this.fail(new TurnoutError('client_closed_upload'));
        else if (!(isChunked ? this.#writeChunk(piece) : socket.write(piece))) body.pause();
      })
      .on('end', () => {
        if (this.#upload !== body) return;
        if (!isChunked && this.#uploadLeft > 0) {
          this.fail(new TurnoutError('client_closed_upload'));
          return;
        }
        this.#upload = undefined;
        this.#sinceMs = this.#owner.now();
        if (isChunked) this.#writeLastChunk(request);
      })
      .on('error', (error) => {
        if (this.#upload === body) this.fail(error);
      })
      .on('close', () => {
        if (this.#upload === body) this.fail(new TurnoutError('client_closed_upload'));
      });
    process.nextTick(() => socket.uncork());
  }

  #writeChunk(piece: Buffer): boolean {
    const socket = this.#socket;
    socket.cork();
    socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    socket.write(piece);
    const mayGoOn = socket.write('\r\n', 'latin1');
    socket.uncork();
    return mayGoOn;
  }

  #writeLastChunk(request: BackendRequest): void {
    try {
      this.#socket.write(`0\r\n${fieldLines(request.trailers())}\r\n`, 'latin1');
    } catch (error) {
      this.fail(errorOf(error));
    }
  }

  /** The backend waits until `resume`. What was read before is still handed on. */
  pause(exchange: BackendExchange): void {
    if (this.#isPaused || this.#exchange !== exchange) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(exchange: BackendExchange): void {
    if (this.#exchange === exchange) this.#resume();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#sinceMs = this.#owner.now();
    this.#socket.resume();
  }

  /**
   * Ends a request, if it is still carried here, and the connection with it, unless nothing of it was sent. Nothing more
   * is reported of it.
   */
  abort(exchange: BackendExchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = undefined;
    if (this.#phase === 'sent' || this.#phase === 'answering') this.close();
    else this.#resume();
  }

  /** Ends the connection, and nobody is told. */
  close(): void {
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#phase === 'closed') return;
    const wasMade = this.#phase !== 'connecting';
    this.#phase = 'closed';
    this.#reader.forget();
    const upload = this.#upload;
    this.#upload = undefined;
    this.#socket.destroy();
    upload?.destroy();
    this.#owner.onClosed(this, wasMade ? undefined : (error ?? new ConnectionFailure('closed', false)));
  }

  /** Ends the connection; whoever has a request on it is told why. */
  fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#close(error);
    exchange?.onError(error);
  }

  #lost(cause?: Error): ConnectionFailure {
    return new ConnectionFailure('closed', this.#answers > 0, { cause });
  }

  #read(bytes: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nobody asked.
      this.close();
      return;
    }
    try {
      const read = this.#reader.read(READ_BYTES, bytes);
      if (this.#exchange !== exchange) return;
      if (this.#reader.isOver) this.#answered(exchange, read === bytes);
      else this.#moved();
    } catch (error) {
      if (this.#exchange === exchange) this.fail(errorOf(error));
      // Whoever is not there any more need not know that what came was malformed.
      else if (!(error instanceof MalformedAnswer)) throw error;
    }
  }

  /** A part of a head is no progress: it could come byte by byte for ever. */
  #moved(): void {
    if (this.#reader.head !== undefined) this.#phase = 'answering';
    if (!this.#reader.isInsideText) this.#sinceMs = this.#owner.now();
  }

  /** The backend has sent its last. */
  #ended(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#reader.close()) this.#answered(exchange, false);
    else this.fail(this.#lost());
  }

  #answered(exchange: BackendExchange, mayStay: boolean): void {
    const { head, trailers } = this.#reader;
    this.#reader.forget();
    this.#exchange = undefined;
    this.#answers += 1;
    if (mayStay && head?.keepsAlive === true && this.#upload === undefined && this.#keeps(head.keepAliveS)) {
      this.#resume();
      this.#toIdle();
      exchange.onEnd(trailers);
      this.#owner.onIdle(this);
    } else {
      this.close();
      exchange.onEnd(trailers);
    }
  }

  /** A second less than the backend says, so that it does not close the connection under the next request. */
  #keeps(keepAliveS: number | undefined): boolean {
    const { keepAliveMs } = this.#owner;
    this.#keepAliveMs =
      keepAliveS === undefined
        ? keepAliveMs
        : Math.min(keepAliveS * 1_000 - 1_000, Math.max(keepAliveMs, 60_000));
    return this.#keepAliveMs > 0;
  }

  #toIdle(): void {
    this.#phase = 'idle';
    this.#sinceMs = this.#owner.now();
  }

  /** Whether a request may be sent on it. */
  get isFree(): boolean {
    return this.#phase === 'idle' && this.#exchange === undefined;
  }

  /**
   * Looks whether the present wait has lasted too long.
   *
   * @param slackMs until the next look
   * @param lostMs this look comes so late: what came meanwhile waits to be read, and the backend is not to blame
   */
  look(nowMs: number, slackMs: number, lostMs: number): void {
    if (this.#phase !== 'idle') this.#sinceMs = Math.min(nowMs, this.#sinceMs + lostMs);
    const waitedMs = nowMs - this.#sinceMs;
    const { connectMs, headersMs, bodyMs } = this.#owner;
    switch (this.#phase) {
      case 'connecting':
        if (waitedMs >= connectMs) this.fail(new ConnectionFailure('connect_timeout', false));
        return;
      case 'idle':
        if (waitedMs + slackMs >= this.#keepAliveMs) this.close();
        return;
      case 'sent':
        // An upload has bounds of its own.
        if ((this.#upload === undefined || this.#waitsForGo) && waitedMs >= headersMs)
          this.fail(new ConnectionFailure('headers_timeout', false));
        return;
      case 'answering':
        if (!this.#isPaused && waitedMs >= bodyMs) this.fail(new ConnectionFailure('body_timeout', false));
        return;
      default:
        return;
    }
  }
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
