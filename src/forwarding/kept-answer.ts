import type { AnswerRelay } from './answer-relay.ts';

/** What is taken of the body while nobody knows whether it is wanted; then its backend has to wait. */
const KEPT_BYTES_MAX = 16_384;

/** An answer whose way to the client is not decided yet: the head, and the first bytes of the body. */
export class KeptAnswer {
  readonly #status: number;
  readonly #reason: string;
  readonly #raw: readonly string[];
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #trailers: readonly string[] | undefined;
  /** All of it is here. */
  whole = false;
  /** Why no more of it will come. */
  cause: Error | undefined;

  constructor(status: number, reason: string, raw: readonly string[]) {
    this.#status = status;
    this.#reason = reason;
    this.#raw = raw;
  }

  /** @returns false when its backend has to wait: small answers give their connection back */
  add(piece: Buffer): boolean {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    return this.#bytes <= KEPT_BYTES_MAX;
  }

  end(trailers: readonly string[] | undefined): void {
    this.whole = true;
    this.#trailers = trailers;
  }

  /** Passes on what is here, the end included if it has come. */
  giveTo(relay: AnswerRelay): void {
    relay.head(this.#status, this.#reason, this.#raw);
    for (const piece of this.#pieces) relay.data(piece);
    if (this.whole) relay.end(this.#trailers);
  }
}
