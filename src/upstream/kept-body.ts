/** Bodies that are kept for a comparison: each within its bound, all of them together within another. */

/** How many bytes are kept at a time by one worker. */
export class ByteBudget {
  readonly #bytesMax: number;
  #held = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get held(): number {
    return this.#held;
  }

  /** @returns false when that would be too many; then nothing was taken */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#bytesMax) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** Small pieces beyond this number are joined: a body that comes byte by byte must not cost a buffer for each. */
const PIECES_MAX = 64;
const SMALL_BYTES = 4_096;

/** The pieces of one body, by reference. Over a bound everything is dropped, and nothing is taken any more. */
export class KeptBody {
  readonly #bytesMax: number;
  readonly #budget: ByteBudget;
  #pieces: Buffer[] = [];
  #small = 0;
  #bytes = 0;
  #dropped: 'too_large' | 'memory' | undefined;

  constructor(bytesMax: number, budget: ByteBudget) {
    this.#bytesMax = bytesMax;
    this.#budget = budget;
  }

  /** Why nothing is kept, if so. */
  get dropped(): 'too_large' | 'memory' | undefined {
    return this.#dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The body says how long it will be: one that is too long is dropped before it comes. */
  announce(bytes: number): void {
    if (this.#dropped !== undefined || bytes <= this.#bytesMax) return;
    this.#dropped = 'too_large';
    this.release();
  }

  add(piece: Buffer): void {
    if (this.#dropped !== undefined) return;
    const isTooLarge = this.#bytes + piece.length > this.#bytesMax;
    if (isTooLarge || !this.#budget.take(piece.length)) {
      this.#dropped = isTooLarge ? 'too_large' : 'memory';
      this.release();
      return;
    }
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    this.#small = piece.length < SMALL_BYTES ? this.#small + 1 : 0;
    if (this.#small < PIECES_MAX) return;
    this.#pieces.push(Buffer.concat(this.#pieces.splice(-PIECES_MAX)));
    this.#small = 0;
  }

  /** All of it, without a copy if it came in one piece. */
  whole(): Buffer {
    const [first] = this.#pieces;
    if (first === undefined) return EMPTY;
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? EMPTY;
  }

  /** Forgets the bytes and gives their place to others. Any number of times. */
  release(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.#pieces = [];
  }
}

const EMPTY = Buffer.alloc(0);
