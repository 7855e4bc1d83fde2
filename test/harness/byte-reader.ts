/** How the peer ended its direction of a connection. */
export type PeerEnd = 'fin' | 'reset';

/** The bytes ended where more were due. */
export class CutError extends Error {
  readonly end: PeerEnd;

  constructor(end: PeerEnd) {
    super(`the bytes ended by ${end} where more were due`);
    this.name = 'CutError';
    this.end = end;
  }
}

/**
 * Turns the pushed chunks of a socket into pulled pieces. One consumer at a time.
 *
 * A consumer that stops pulling lets bytes pile up here: pause the socket where back-pressure matters.
 */
export class ByteReader {
  #pending: Buffer = Buffer.alloc(0);
  #end: PeerEnd | undefined;
  #wake: (() => void) | undefined;

  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#notify();
  }

  /** No more bytes will come. Only the first call counts. */
  finish(end: PeerEnd): void {
    this.#end ??= end;
    this.#notify();
  }

  get end(): PeerEnd | undefined {
    return this.#end;
  }

  /** Bytes that were pushed and not pulled yet. */
  get buffered(): number {
    return this.#pending.length;
  }

  /** Up to `max` bytes as soon as there are any; `undefined` once the bytes have ended. */
  async some(max: number): Promise<Buffer | undefined> {
    while (this.#pending.length === 0) {
      if (this.#end !== undefined) return undefined;
      await this.#more();
    }
    return this.#take(Math.min(max, this.#pending.length));
  }

  /**
   * One line without its terminator, as latin1, and whether the terminator was CR LF or a bare LF;
   * `undefined` when the bytes ended before the line's first byte.
   * @throws CutError when they ended inside the line
   */
  async line(): Promise<{ text: string; crlf: boolean } | undefined> {
    let from = 0;
    for (;;) {
      const at = this.#pending.indexOf(0x0a, from);
      if (at !== -1) {
        const text = this.#take(at + 1).toString('latin1', 0, at);
        return text.endsWith('\r') ? { text: text.slice(0, -1), crlf: true } : { text, crlf: false };
      }
      from = this.#pending.length;
      if (this.#end !== undefined) {
        if (from === 0) return undefined;
        throw new CutError(this.#end);
      }
      await this.#more();
    }
  }

  #take(size: number): Buffer {
    const taken = this.#pending.subarray(0, size);
    this.#pending = this.#pending.subarray(size);
    return taken;
  }

  #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
