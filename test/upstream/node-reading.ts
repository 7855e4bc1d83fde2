/** An answer as Node's own parser reads it, which is llhttp: another reader to agree with. No network. */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { ReadHead, Reading } from './answer-readings.ts';

/** The backend's end of a connection is a `push`. */
class FedSocket extends Duplex {
  override _read(): void {
    // Bytes come when they are fed.
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, callback: () => void): void {
    callback();
  }

  setKeepAlive(): void {
    // No socket.
  }

  setNoDelay(): void {
    // No socket.
  }

  setTimeout(): void {
    // No socket.
  }

  ref(): void {
    // No socket.
  }

  unref(): void {
    // No socket.
  }
}

class FedAgent extends Agent {
  readonly socket = new FedSocket();

  override createConnection(): Duplex {
    return this.socket;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class NodeReading {
  readonly #agent = new FedAgent({ keepAlive: true });
  readonly #request: ClientRequest;
  readonly #interims: ReadHead[] = [];
  readonly #body: Buffer[] = [];
  #answer: IncomingMessage | undefined;
  #isWhole = false;
  /** Its parser's code, or another error's. */
  refusal: string | undefined;

  constructor(method: 'GET' | 'HEAD') {
    this.#request = request({ method, host: 'shop.test', agent: this.#agent, maxHeaderSize: 1_000_000 });
    this.#request.maxHeadersCount = 0;
    const refused = (error: NodeJS.ErrnoException): void => {
      this.refusal ??= error.code ?? error.message;
    };
    this.#request
      .on('information', ({ statusCode, statusMessage, rawHeaders }) =>
        this.#interims.push({ status: statusCode, reason: statusMessage, headers: rawHeaders }),
      )
      .on('response', (answer) => {
        this.#answer = answer
          .on('data', (piece: Buffer) => this.#body.push(piece))
          .on('end', () => {
            this.#isWhole = answer.complete;
          })
          .on('error', refused);
      })
      .on('upgrade', () => refused(new Error('upgrade')))
      .on('error', refused)
      .end();
  }

  /** Resolves when the bytes were dealt with. */
  async feed(bytes: Buffer): Promise<void> {
    await turn();
    if (bytes.length > 0 && !this.#agent.socket.destroyed) this.#agent.socket.push(bytes);
    await turn();
  }

  /** The connection ends. */
  async end(): Promise<void> {
    if (!this.#agent.socket.destroyed) this.#agent.socket.push(null);
    await turn();
    await turn();
  }

  /** The answer, if all of it has come. */
  reading(): Reading | undefined {
    const answer = this.#answer;
    if (answer === undefined || !this.#isWhole) return undefined;
    return {
      status: answer.statusCode ?? 0,
      reason: answer.statusMessage ?? '',
      headers: answer.rawHeaders,
      interims: this.#interims,
      body: Buffer.concat(this.#body).toString('latin1'),
      trailers: answer.rawTrailers,
      keepsAlive: this.#request.shouldKeepAlive,
    };
  }

  stop(): void {
    this.#request.destroy();
    this.#agent.socket.destroy();
    this.#agent.destroy();
  }
}
