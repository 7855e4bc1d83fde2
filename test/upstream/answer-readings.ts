/** What an answer was read as, whoever read it, and the gateway's own reading in that form. */
import { MalformedAnswer } from '../../src/upstream/answer-head.ts';
import { AnswerReader } from '../../src/upstream/answer-reader.ts';

export interface ReadHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
}

/** A whole answer. Text and bytes are latin1. */
export interface Reading extends ReadHead {
  readonly interims: readonly ReadHead[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly keepsAlive: boolean;
}

export type Outcome =
  | {
      readonly kind: 'whole';
      readonly reading: Reading;
      /** Its end is that of the connection. */
      readonly untilClose: boolean;
      /** Bytes that belong to it. */
      readonly bytes: number;
    }
  /** It was not HTTP/1.1: why. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The connection ended inside it. */
  | { readonly kind: 'cut' };

export interface Asked {
  readonly isToHead?: boolean;
  /** Of a head, and of trailers. */
  readonly headBytesMax?: number;
}

/** As one connection after the other uses it: behind what came lies what came before. */
const READ_BYTES = Buffer.alloc(131_072, 'HTTP/1.1 200 OK\r\n\r\n0\r\n\r\n');

/** Reads an answer that comes in these pieces; then the connection ends. @throws what is no refusal */
export function readPieces(
  pieces: Iterable<Buffer>,
  { isToHead = false, headBytesMax }: Asked = {},
): Outcome {
  const reader = new AnswerReader(headBytesMax);
  const heads: ReadHead[] = [];
  const body: Buffer[] = [];
  let began = 0;
  const listener = {
    onAnswerBegun: (): void => void (began += 1),
    onHead: (status: number, reason: string, headers: readonly string[]): void => {
      if (began !== 1) throw new Error('a head without a beginning');
      heads.push({ status, reason, headers: [...headers] });
    },
    onData: (piece: Buffer): void => {
      if (reader.head === undefined || piece.length === 0) throw new Error('data before the head, or none');
      body.push(piece);
    },
  };
  reader.expect(listener, isToHead);
  let bytes = 0;
  try {
    for (const piece of pieces) {
      if (reader.isOver) break;
      piece.copy(READ_BYTES);
      const read = reader.read(READ_BYTES, piece.length);
      if (read !== piece.length && !reader.isOver) throw new Error('bytes were left out');
      bytes += read;
    }
  } catch (error) {
    if (error instanceof MalformedAnswer) return { kind: 'refused', reason: error.message };
    throw error;
  }
  const untilClose = !reader.isOver;
  if (untilClose && !reader.close()) return { kind: 'cut' };
  const { head } = reader;
  const final = heads.pop();
  if (head === undefined || final === undefined) throw new Error('an answer without a head');
  const reading: Reading = {
    ...final,
    interims: heads,
    body: Buffer.concat(body).toString('latin1'),
    trailers: [...reader.trailers],
    keepsAlive: head.keepsAlive,
  };
  return { kind: 'whole', reading, untilClose, bytes };
}

/** Reads it whole, then split in two at every place, then byte by byte, and gives all that came of it. */
export function readAtEverySplit(bytes: Buffer, asked: Asked = {}): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  outcomes.set('whole', readPieces([bytes], asked));
  for (let at = 1; at < bytes.length; at += 1)
    outcomes.set(`split at ${at}`, readPieces([bytes.subarray(0, at), bytes.subarray(at)], asked));
  outcomes.set('byte by byte', readPieces(inPieces(bytes, 1), asked));
  return outcomes;
}

/** The same bytes in pieces of this size. */
export function* inPieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
