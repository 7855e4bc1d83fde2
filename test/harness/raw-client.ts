/**
 * A client that sends exactly the bytes it is told to, and reads answers by the letter. It knows no HTTP on
 * the way out: malformed requests are its purpose.
 */
import net from 'node:net';
import tls from 'node:tls';
import { ByteReader, CutError, type PeerEnd } from './byte-reader.ts';
import type { Teardown } from './teardown.ts';
import {
  type Framing,
  headerValues,
  lengthFraming,
  RawBody,
  type RawHead,
  type RawHeader,
  readHead,
  WireError,
} from './wire-message.ts';
import { within } from './within.ts';

/** The head of one answer, a 1xx included; its body is pulled by whoever wants it. */
export class RawAnswerHead {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly RawHeader[];
  readonly raw: string;
  readonly body: RawBody;

  constructor(head: RawHead, method: string, reader: ByteReader) {
    const match = /^(HTTP\/1\.[01]) ([1-9][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)$/.exec(head.startLine);
    if (match === null) throw new WireError(`bad status line ${JSON.stringify(head.startLine)}`);
    this.version = match[1] ?? '';
    this.status = Number(match[2]);
    this.reason = match[3] ?? '';
    this.headers = head.headers;
    this.raw = head.raw;
    this.body = new RawBody(reader, this.#framing(method));
  }

  /** All values of one header, in order. */
  values(name: string): string[] {
    return headerValues(this.headers, name);
  }

  /** The only value of a header; `undefined` without one. @throws WireError when there are several */
  value(name: string): string | undefined {
    const values = this.values(name);
    if (values.length > 1) throw new WireError(`${name} stands ${values.length} times`);
    return values[0];
  }

  #framing(method: string): Framing {
    const framing = lengthFraming(this.headers);
    const bodiless = method === 'HEAD' || this.status < 200 || this.status === 204 || this.status === 304;
    return bodiless ? { kind: 'none' } : (framing ?? { kind: 'close' });
  }
}

/** One answer with all of its body. */
export interface RawAnswer {
  readonly status: number;
  readonly head: RawAnswerHead;
  /** The 1xx answers that came before it. */
  readonly interim: readonly RawAnswerHead[];
  readonly body: Buffer;
  readonly trailers: readonly RawHeader[];
  /** `cut`: the connection ended inside the body. */
  readonly ending: 'complete' | 'cut';
}

export interface ConnectOptions {
  readonly port: number;
  readonly host?: string;
  /** Talks TLS. */
  readonly tls?: tls.ConnectionOptions;
  /** The address that the peer sees, 127.x.y.z. */
  readonly localAddress?: string;
}

export class RawClient {
  readonly socket: net.Socket;
  /** How the peer ended the connection. Never rejects. */
  readonly closed: Promise<PeerEnd>;
  readonly #reader = new ByteReader();

  constructor(socket: net.Socket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<PeerEnd>();
    this.closed = promise;
    const finish = (end: PeerEnd): void => {
      this.#reader.finish(end);
      resolve(end);
    };
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
    });
    socket.on('end', () => {
      finish('fin');
    });
    socket.on('error', () => {
      finish('reset');
    });
    socket.on('close', () => {
      finish('reset');
    });
  }

  /**
   * Sends bytes; a string is latin1. Resolves when the system has taken them, or the connection is gone:
   * a peer that refuses the bytes is often what the test is about.
   */
  async send(bytes: string | Buffer): Promise<void> {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.once('close', resolve);
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
      resolve();
    });
    await promise;
    this.socket.off('close', resolve);
  }

  /** Ends our direction only (FIN). */
  finish(): void {
    this.socket.end();
  }

  /** Ends the connection with a reset. */
  abort(): void {
    this.socket.resetAndDestroy();
  }

  /** Stops reading, so that the peer meets back-pressure once the system's buffers are full. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /**
   * The next head, a 1xx included.
   * @param method of the request that it answers: it decides whether a body follows
   * @throws CutError when the connection ended instead
   */
  async nextHead(method = 'GET'): Promise<RawAnswerHead> {
    const head = await within(readHead(this.#reader), `the head of the answer to ${method}`);
    if (head === undefined) throw new CutError(this.#reader.end ?? 'fin');
    return new RawAnswerHead(head, method, this.#reader);
  }

  /** The next final head, and the 1xx heads before it. */
  async finalHead(method = 'GET'): Promise<{ head: RawAnswerHead; interim: RawAnswerHead[] }> {
    const interim: RawAnswerHead[] = [];
    for (;;) {
      const head = await this.nextHead(method);
      if (head.status >= 200 || head.status === 101) return { head, interim };
      interim.push(head);
    }
  }

  /** The next answer with all of its body. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    const { head, interim } = await this.finalHead(method);
    const body = await within(head.body.all(), `the body of the answer to ${method}`);
    const ending = head.body.state === 'complete' ? 'complete' : 'cut';
    return { status: head.status, head, interim, body, trailers: head.body.trailers, ending };
  }

  /** Sends one request and reads its answer. */
  async request(bytes: string | Buffer): Promise<RawAnswer> {
    const sent = this.send(bytes);
    const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1', 0, 64);
    const answer = await this.answer(text.slice(0, text.indexOf(' ')));
    await sent;
    return answer;
  }

  /** The next bytes, whatever they are; `undefined` once the connection has ended. */
  async bytes(): Promise<Buffer | undefined> {
    return within(this.#reader.some(65_536), 'bytes from the peer');
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.bytes(); piece !== undefined; piece = await this.bytes()) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

/** Connects; the connection is destroyed at the end of the test at the latest. */
export async function connectRaw(t: Teardown, options: ConnectOptions): Promise<RawClient> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { port, host = '127.0.0.1', localAddress } = options;
  const where = { port, host, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) };
  const socket =
    options.tls === undefined
      ? net.connect(where, resolve)
      : tls.connect({ ...where, ...options.tls }, resolve);
  socket.once('error', reject);
  t.teardown(() => {
    socket.destroy();
  });
  await within(promise, `a connection to port ${port}`);
  socket.off('error', reject);
  return new RawClient(socket);
}

/**
 * The statuses of all answers up to the end of the connection.
 *
 * @param method of the requests that they answer
 * @param name of the case, for the error when the connection does not end
 */
export async function statusesToTheEnd(client: RawClient, method: string, name: string): Promise<number[]> {
  const all: number[] = [];
  for (;;) {
    try {
      all.push((await client.answer(method)).status);
    } catch (error) {
      if (error instanceof CutError) return all;
      throw new Error(`${name}: after ${all.length} answers`, { cause: error });
    }
  }
}
