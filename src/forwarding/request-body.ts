import { Http2ServerRequest } from 'node:http2';
import { Readable } from 'node:stream';
import { TurnoutError } from '../errors.ts';
import type { WholeBody } from '../upstream/request-bytes.ts';

/** What is read and thrown away of a body that nobody wants any more, before the connection is cut. */
const DISCARD_BYTES_MAX = 1_048_576;
const DISCARD_MS = 2_000;

/**
 * The body of a client's request as a stream of its own. The HTTP client destroys the stream that it was given
 * when the backend answers early; were that the client's request itself, the client would lose the answer.
 */
export class RequestBody extends Readable {
  /** Called for each piece that the client sent. */
  onMove: (() => void) | undefined;
  /** Shown each piece of a read that is to be compared. */
  onPiece: ((piece: Buffer) => void) | undefined;
  /**
   * Asked before each piece is handed on, and before the end of a body without an announced length; once it says no the
   * rest is cut off. A body whose announced bytes were all handed on is with the backend: nothing can be cut off it, and
   * its client must not be told that it was.
   */
  mayPass: (() => boolean) | undefined;
  readonly #source: Readable;
  readonly #announcedBytes: number | undefined;
  #whole = false;
  #receivedBytes = 0;
  #onBegin: (() => void) | undefined;
  readonly #onData = (chunk: Buffer): void => {
    this.#began();
    this.onMove?.();
    if (this.#isFenced()) return;
    this.#receivedBytes += chunk.length;
    this.onPiece?.(chunk);
    if (!this.push(chunk)) this.#source.pause();
  };
  readonly #onEnd = (): void => {
    this.#began();
    if (isCut(this.#source)) {
      this.destroy(new TurnoutError('client_closed_upload'));
      return;
    }
    if (this.#isFenced()) return;
    this.#whole = true;
    this.push(null);
  };
  readonly #onGone = (cause?: Error): void => {
    if (!this.#source.readableEnded) this.destroy(new TurnoutError('client_closed_upload', { cause }));
  };

  /** @param announcedBytes by Content-Length; `undefined` without one */
  constructor(source: Readable, announcedBytes: number | undefined) {
    super({ highWaterMark: 65_536 });
    this.#source = source;
    this.#announcedBytes = announcedBytes;
    // The connection reports the failure of a body that it reads; one that fails before or after that is nobody's.
    this.on('error', () => undefined);
    source
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onGone)
      .on('close', this.#onGone);
    source.pause();
  }

  /**
   * Starts to read, and waits for the first piece or the end.
   *
   * @param waitMs bound on the wait
   * @returns false when the client has sent nothing yet
   */
  begins(waitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#onBegin = undefined;
        resolve(false);
      }, waitMs);
      const begun = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      this.#onBegin = begun;
      this.#source.resume();
    });
  }

  /**
   * The body, if all of it is here: that is cheaper to send than a stream. Nothing is left to read then.
   *
   * @param bytes its announced length
   */
  takeWhole(bytes: number): WholeBody | undefined {
    if (this.destroyed || this.#receivedBytes !== bytes) return undefined;
    const whole: unknown = this.read();
    return Buffer.isBuffer(whole) && whole.length === bytes ? [whole] : undefined;
  }

  #began(): void {
    const onBegin = this.#onBegin;
    this.#onBegin = undefined;
    onBegin?.();
  }

  /** The client has sent all of it. */
  get whole(): boolean {
    return this.#whole;
  }

  /** The client is being waited for, not the backend. */
  get hungry(): boolean {
    return !this.#source.isPaused();
  }

  #isFenced(): boolean {
    if (this.mayPass === undefined || this.#isHandedOn() || this.mayPass()) return false;
    this.destroy(new TurnoutError('fenced'));
    return true;
  }

  /** All that was announced has left this stream. */
  #isHandedOn(): boolean {
    return this.#receivedBytes - this.readableLength === this.#announcedBytes;
  }

  /** What has been waiting in here passes by here: it came while it might still be passed on. */
  override read(size?: number): unknown {
    return this.#isFenced() ? null : super.read(size);
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const source = this.#source;
    this.#began();
    source.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone);
    if (!source.readableEnded) discardRest(source);
    callback(error);
  }
}

/** A stream that its client reset ends like a whole one; a whole one is still open for the answer when it ends. */
function isCut(source: Readable): boolean {
  return source instanceof Http2ServerRequest && source.stream.closed;
}

/**
 * Reads the rest of an unwanted body, within bounds, so that the client can finish sending and read its
 * answer; beyond them the connection is ended.
 */
export function discardRest(source: Readable): void {
  if (source.destroyed || source.readableEnded) return;
  let bytes = 0;
  const cut = setTimeout(() => source.destroy(), DISCARD_MS);
  cut.unref();
  source
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DISCARD_BYTES_MAX) source.destroy();
    })
    .on('error', () => {
      // The client left; the exchange notices by itself.
    })
    .once('close', () => clearTimeout(cut))
    .resume();
}
