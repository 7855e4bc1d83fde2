/**
 * Reads the answers that come over one connection, one after the other, as the bytes come.
 *
 *     head ─┬─▶ length ────────────────────────────────────▶ over
 *      ▲    ├─▶ until the connection closes ────────────────▶ over
 *      │    ├─▶ size ─▶ chunk ─▶ end of chunk ─▶ size … ─▶ trailers ─▶ over
 *      └────┴─▶ (an interim answer: the next head)
 */
import { type AnswerHead, MalformedAnswer, readAnswerHead, readTrailers } from './answer-head.ts';

export interface AnswerListener {
  /** The first byte of an answer is here. */
  onAnswerBegun(): void;
  /** A head: interim ones (below 200) first, then the one of the answer. */
  onHead(status: number, reason: string, headers: readonly string[]): void;
  /** A piece of the body. It is the listener's to keep. */
  onData(piece: Buffer): void;
}

type State =
  | 'head'
  | 'length'
  | 'close'
  | 'size'
  | 'blank'
  | 'extension'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  | 'over';

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const SEMICOLON = 59;

/** A head, and the trailers, bytes. */
const HEAD_BYTES_MAX = 65_536;
/** What may stand behind the size of a chunk, bytes. */
const EXTENSION_BYTES_MAX = 4_096;
/** Beyond 2⁴⁸ bytes nothing is a size. */
const SIZE_DIGITS_MAX = 12;
const NO_TRAILERS: readonly string[] = [];

export class AnswerReader {
  readonly #maxHeadBytes: number;
  #listener: AnswerListener | undefined;
  #isToHead = false;
  #state: State = 'over';
  #hasBegun = false;
  /** The head of the answer that is being read. */
  #head: AnswerHead | undefined;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #digits = 0;
  #skipped = 0;
  /** A head, or trailers, that have not come to their end: in the first `#heldBytes` of the buffer. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  #trailers: readonly string[] = NO_TRAILERS;

  constructor(maxHeadBytes = HEAD_BYTES_MAX) {
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** @param isToHead the request is a `HEAD` */
  expect(listener: AnswerListener, isToHead: boolean): void {
    this.#listener = listener;
    this.#isToHead = isToHead;
    this.#state = 'head';
    this.#hasBegun = false;
    this.#head = undefined;
    this.#trailers = NO_TRAILERS;
  }

  /** Whoever listened is told nothing any more. */
  forget(): void {
    this.#listener = undefined;
  }

  /** The answer has come to its end. */
  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** Inside a head, or inside trailers. */
  get isInsideText(): boolean {
    return this.#heldBytes > 0;
  }

  get head(): AnswerHead | undefined {
    return this.#head;
  }

  get trailers(): readonly string[] {
    return this.#trailers;
  }

  /**
   * Reads what came. Chunks are put together in place: the bytes are changed.
   *
   * @param bytes may be used again by its owner after this call
   * @param end how many of them came
   * @returns how many were read: fewer only when the answer was over before
   * @throws MalformedAnswer
   */
  read(bytes: Buffer, end: number): number {
    let at = 0;
    while (at < end && this.#state !== 'over' && this.#listener !== undefined) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(bytes, at, end);
          break;
        case 'length':
          at = this.#readLength(bytes, at, end);
          break;
        case 'close':
          this.#give(bytes, at, end);
          at = end;
          break;
        case 'trailers':
          at = this.#readTrailers(bytes, at, end);
          break;
        default:
          at = this.#readChunks(bytes, at, end);
      }
    }
    return at;
  }

  /**
   * The backend has closed the connection.
   *
   * @returns whether that is the end of the answer
   */
  close(): boolean {
    if (this.#state !== 'close') return false;
    this.#state = 'over';
    return true;
  }

  #give(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    const piece = Buffer.allocUnsafe(to - from);
    bytes.copy(piece, 0, from, to);
    this.#listener?.onData(piece);
  }

  #readHead(bytes: Buffer, from: number, end: number): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#listener?.onAnswerBegun();
    }
    const over = this.#readText(bytes, from, end);
    if (over < 0) return end;
    const head = readAnswerHead(this.#text(bytes, from, over), this.#isToHead);
    if (head.status < 200) {
      this.#onInterim(head);
      return over;
    }
    this.#head = head;
    this.#toSize();
    this.#state = STATES[head.framing];
    this.#left = head.length;
    this.#listener?.onHead(head.status, head.reason, head.headers);
    if (this.#state === 'length') return this.#readLength(bytes, over, end);
    return over;
  }

  #onInterim({ status, reason, headers }: AnswerHead): void {
    if (status === 101) throw new MalformedAnswer('an upgrade that nobody asked for');
    this.#listener?.onHead(status, reason, headers);
  }

  #readLength(bytes: Buffer, from: number, end: number): number {
    const to = Math.min(end, from + this.#left);
    this.#left -= to - from;
    if (this.#left === 0) this.#state = 'over';
    this.#give(bytes, from, to);
    return to;
  }

  /** What lies in these bytes of any number of chunks is handed on in one piece. */
  #readChunks(bytes: Buffer, from: number, end: number): number {
    let at = from;
    let filled = from;
    try {
      while (at < end) {
        if (this.#state === 'chunk') {
          const to = Math.min(end, at + this.#left);
          if (filled !== at) bytes.copyWithin(filled, at, to);
          filled += to - at;
          this.#left -= to - at;
          at = to;
          if (this.#left === 0) this.#state = 'chunk-end';
        } else {
          this.#readByte(bytes[at] ?? 0);
          at += 1;
          if (this.#state === 'trailers') break;
        }
      }
    } finally {
      this.#give(bytes, from, filled);
    }
    return at;
  }

  /** One byte of what stands around chunks. `#skipped` counts how far into an end of a line, or an extension, it is. */
  #readByte(byte: number): void {
    if (this.#state === 'chunk-end') {
      if (byte !== (this.#skipped === 0 ? CR : LF)) throw new MalformedAnswer('a chunk longer than its size');
      this.#skipped += 1;
      if (this.#skipped === 2) this.#toSize();
      return;
    }
    const digit = this.#state === 'size' ? hexDigit(byte) : -1;
    if (digit >= 0) {
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX) throw new MalformedAnswer('a chunk beyond all bounds');
      this.#left = this.#left * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw new MalformedAnswer('a chunk without a size');
    this.#readExtension(byte);
  }

  #readExtension(byte: number): void {
    if (this.#state !== 'extension') {
      // White space may stand before an extension (RFC 9112, 7.1.1), and nowhere else.
      const isBlank = byte === SPACE || byte === TAB;
      if (!isBlank && byte !== SEMICOLON && (byte !== CR || this.#state === 'blank'))
        throw new MalformedAnswer('a chunk size that is no number');
      this.#state = isBlank ? 'blank' : 'extension';
    }
    if (this.#skipped < 0) {
      if (byte !== LF) throw new MalformedAnswer('a chunk size whose line does not end in CR LF');
      this.#skipped = 0;
      this.#state = this.#left === 0 ? 'trailers' : 'chunk';
      return;
    }
    if (byte === CR) {
      this.#skipped = -1;
      return;
    }
    this.#skipped += 1;
    if (this.#skipped > EXTENSION_BYTES_MAX || (byte < SPACE && byte !== TAB) || byte === 127)
      throw new MalformedAnswer('an extension of a chunk that is too long, or no text');
  }

  #toSize(): void {
    this.#state = 'size';
    this.#left = 0;
    this.#digits = 0;
    this.#skipped = 0;
  }

  #readTrailers(bytes: Buffer, from: number, end: number): number {
    const over = this.#readText(bytes, from, end);
    if (over < 0) return end;
    this.#trailers = readTrailers(this.#text(bytes, from, over));
    this.#state = 'over';
    return over;
  }

  /**
   * Looks for the empty line at the end of a head, or of trailers. What is here without it is held.
   *
   * @returns where the text ends in `bytes`, or -1 when its end has not come
   * @throws MalformedAnswer
   */
  #readText(bytes: Buffer, from: number, end: number): number {
    if (this.#heldBytes > 0) return this.#hold(bytes, from, end);
    const over = endOfText(bytes, from, from, end, this.#state === 'trailers');
    if (over < 0) return this.#hold(bytes, from, end);
    if (over - from > this.#maxHeadBytes) throw new MalformedAnswer('a head over the bound');
    return over;
  }

  /** Adds to what is held, as far as the text goes. */
  #hold(bytes: Buffer, from: number, end: number): number {
    const before = this.#heldBytes;
    const filled = before + end - from;
    let held = this.#held;
    if (held === undefined || held.length < filled) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1_024, filled * 2));
      held?.copy(larger, 0, 0, before);
      held = larger;
      this.#held = held;
    }
    bytes.copy(held, before, from, end);
    // Whoever does not speak HTTP may never send an empty line.
    if (before < VERSION.length && this.#state === 'head' && !isVersion(held, filled))
      throw new MalformedAnswer('a first line that is none of HTTP/1.1');
    const over = endOfText(held, 0, Math.max(0, before - 3), filled, this.#state === 'trailers');
    this.#heldBytes = over < 0 ? filled : over;
    if (this.#heldBytes > this.#maxHeadBytes) throw new MalformedAnswer('a head over the bound');
    return over < 0 ? -1 : from + over - before;
  }

  #text(bytes: Buffer, from: number, over: number): string {
    if (this.#heldBytes === 0) return bytes.toString('latin1', from, over);
    const text = this.#held?.toString('latin1', 0, this.#heldBytes) ?? '';
    this.#held = undefined;
    this.#heldBytes = 0;
    return text;
  }
}

const STATES = { none: 'over', length: 'length', chunked: 'size', close: 'close' } as const;
const VERSION = Buffer.from('HTTP/1.');
const EMPTY_LINE = Buffer.from('\r\n\r\n');

/** As far as it is here. */
function isVersion(bytes: Buffer, end: number): boolean {
  const size = Math.min(VERSION.length, end);
  return bytes.compare(VERSION, 0, size, 0, size) === 0;
}

/**
 * @param start where the text starts; trailers may be nothing but an empty line
 * @param from the end is not before this
 * @returns where it ends, or -1
 */
function endOfText(bytes: Buffer, start: number, from: number, end: number, mayBeEmpty: boolean): number {
  if (mayBeEmpty && end - start >= 2 && bytes[start] === CR && bytes[start + 1] === LF) return start + 2;
  const at = bytes.indexOf(EMPTY_LINE, from);
  return at < 0 || at + 4 > end ? -1 : at + 4;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
