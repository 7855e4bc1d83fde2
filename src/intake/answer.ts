import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import { HeaderKind, headerName } from './header-names.ts';

/**
 * The way back to the client, the same for HTTP/1.1 and HTTP/2. Headers are flat lists (name, value, name,
 * value …) of end-to-end headers in the backend's order and case; the framing is this side's own business.
 */
export interface Answer {
  readonly headSent: boolean;
  /** Everything was handed to the operating system. */
  readonly finished: boolean;
  /** An interim answer (100, 102 to 199), where the client's protocol has them. */
  inform(status: number, headers: readonly string[]): void;
  head(status: number, reason: string, headers: string[]): void;
  /** @returns false when the client is slower than the backend: wait for `onDrain` */
  write(chunk: Buffer): boolean;
  /** Sends what is buffered now: the rest may take long. */
  flush(): void;
  /** Ends an answer whose body is this one piece and of which nothing but the head went before. */
  endWhole(body: Buffer): void;
  /** Ends the answer, with trailers where the framing can carry them. */
  end(chunk: Buffer | undefined, trailers: readonly string[] | undefined): void;
  onDrain(listener: () => void): void;
  /** Ends the connection (or the stream) so that the client cannot take the answer for whole. */
  cut(): void;
  /** No further request is taken on this connection. */
  closeAfter(): void;
}

/** Bodies up to this are sent together with their head, bytes. */
const JOINED_BYTES_MAX = 16_384;

export class Http1Answer implements Answer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  get finished(): boolean {
    return this.#response.writableFinished;
  }

  inform(status: number, headers: readonly string[]): void {
    const response = this.#response;
    if (response.headersSent || response.req.httpVersionMinor === 0) return;
    if (status === 100) {
      // Node has to know that the body was asked for, or it ends the connection after the answer.
      response.writeContinue();
      return;
    }
    // `writeEarlyHints` lowers the case of names and knows 103 only, so the interim head is written as it came.
    let head = `HTTP/1.1 ${status} ${INTERIM[status] ?? 'Interim'}\r\n`;
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    response.socket?.write(`${head}\r\n`, 'latin1');
  }

  head(status: number, reason: string, headers: string[]): void {
    this.#response.writeHead(status, reason, headers);
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  flush(): void {
    this.#response.flushHeaders();
  }

  endWhole(body: Buffer): void {
    // Node joins a string with the head into one write; head and buffer take a `writev`, which costs a
    // small answer more than the copy does: it was the largest item of the profile.
    if (body.length <= JOINED_BYTES_MAX) this.#response.end(body.toString('latin1'), 'latin1');
    else this.#response.end(body);
  }

  end(chunk: Buffer | undefined, trailers: readonly string[] | undefined): void {
    if (trailers !== undefined && trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    if (chunk === undefined) this.#response.end();
    else this.#response.end(chunk);
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  cut(): void {
    const { socket } = this.#response;
    if (socket === null) return;
    // What was answered so far goes out first: a client that has not seen a byte of it might send its request again.
    while (this.#response.writableCorked > 0) this.#response.uncork();
    // Where the end of the connection is the end of the body, only a reset tells a cut answer from a whole one.
    if (this.#response.req.httpVersionMinor === 0) socket.resetAndDestroy();
    else socket.destroy();
  }

  closeAfter(): void {
    this.#response.shouldKeepAlive = false;
  }
}

export class Http2Answer implements Answer {
  readonly #response: Http2ServerResponse;

  constructor(response: Http2ServerResponse) {
    this.#response = response;
  }

  get headSent(): boolean {
    return this.#response.headersSent;
  }

  get finished(): boolean {
    // A stream that the client reset is reported as finished too.
    return this.#response.writableEnded && this.#response.stream.rstCode === constants.NGHTTP2_NO_ERROR;
  }

  inform(status: number, headers: readonly string[]): void {
    const { stream } = this.#response;
    if (this.#response.headersSent || stream.destroyed) return;
    if (status === 100) {
      this.#response.writeContinue();
      return;
    }
    stream.additionalHeaders({ ...grouped(headers), ':status': status });
  }

  head(status: number, _reason: string, headers: string[]): void {
    this.#response.writeHead(status, grouped(headers));
  }

  write(chunk: Buffer): boolean {
    return this.#response.write(chunk);
  }

  flush(): void {
    // `writeHead` sends at once.
  }

  endWhole(body: Buffer): void {
    this.end(body, undefined);
  }

  end(chunk: Buffer | undefined, trailers: readonly string[] | undefined): void {
    const { stream } = this.#response;
    if (!stream.endAfterHeaders && !stream.readableEnded) {
      // The answer came before the request was whole: the rest of it is not wanted (RFC 9113, 8.1).
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
    }
    if (trailers !== undefined && trailers.length > 0) this.#response.addTrailers(grouped(trailers));
    if (chunk === undefined) this.#response.end();
    else this.#response.end(chunk);
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  cut(): void {
    // CANCEL is the client's word; a proxy whose backend failed says INTERNAL_ERROR (RFC 9113, 7).
    this.#response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  closeAfter(): void {
    // The session as a whole is closed by the listener, with GOAWAY.
  }
}

const INTERIM: { readonly [status: number]: string } = { 102: 'Processing', 103: 'Early Hints' };

function pairs(list: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) out.push([list[i] ?? '', list[i + 1] ?? '']);
  return out;
}

/** HTTP/2 has lower-case names and no headers about the connection; several values of one name make a list. */
function grouped(list: readonly string[]): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < list.length; i += 2) {
    const { lower, kind } = headerName(list[i] ?? '');
    if (kind === HeaderKind.hopByHop || kind === HeaderKind.connection) continue;
    const value = list[i + 1] ?? '';
    const before = out[lower];
    if (before === undefined) out[lower] = value;
    else if (typeof before === 'string') out[lower] = [before, value];
    else before.push(value);
  }
  return out;
}
