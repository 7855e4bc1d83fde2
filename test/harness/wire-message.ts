/**
 * HTTP/1.1 messages by the letter (RFC 9112): what the harness reads on both sides of the gateway. It is
 * stricter than any server would be, because whatever the gateway writes has to be beyond reproach.
 */
import { type ByteReader, CutError, type PeerEnd } from './byte-reader.ts';

/** A name and its value, as they stood on the wire. */
export type RawHeader = readonly [name: string, value: string];

/** A message that no strict reader accepts. */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}

export interface RawHead {
  readonly startLine: string;
  readonly headers: readonly RawHeader[];
  /** The head's bytes as latin1, the empty line included. */
  readonly raw: string;
}

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function headerValues(headers: readonly RawHeader[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value);
}

/** @throws WireError, CutError; `undefined` when the bytes ended before the head began */
export async function readHead(reader: ByteReader): Promise<RawHead | undefined> {
  const first = await reader.line();
  if (first === undefined) return undefined;
  if (!first.crlf) throw new WireError(`bare LF after ${JSON.stringify(first.text)}`);
  const { fields, raw } = await readFields(reader);
  return { startLine: first.text, headers: fields, raw: `${first.text}\r\n${raw}` };
}

async function readFields(reader: ByteReader): Promise<{ fields: RawHeader[]; raw: string }> {
  const fields: RawHeader[] = [];
  let raw = '';
  for (;;) {
    const line = await reader.line();
    if (line === undefined) throw new CutError(reader.end ?? 'fin');
    if (!line.crlf) throw new WireError(`bare LF after ${JSON.stringify(line.text)}`);
    raw += `${line.text}\r\n`;
    if (line.text === '') return { fields, raw };
    const colon = line.text.indexOf(':');
    const name = line.text.slice(0, colon);
    const value = line.text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    if (colon === -1 || !TOKEN.test(name) || !FIELD_VALUE.test(value)) {
      throw new WireError(`bad field line ${JSON.stringify(line.text)}`);
    }
    fields.push([name, value]);
  }
}

/** @throws WireError for anything that two readers could understand differently */
export function lengthFraming(headers: readonly RawHeader[]): Framing | undefined {
  const codings = headerValues(headers, 'transfer-encoding');
  const lengths = headerValues(headers, 'content-length');
  if (codings.length > 0 && lengths.length > 0) throw new WireError('both lengths');
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      throw new WireError(`transfer-encoding ${JSON.stringify(codings)}`);
    }
    return { kind: 'chunked' };
  }
  if (lengths.length === 0) return undefined;
  const [length] = lengths;
  if (lengths.length > 1 || length === undefined || !/^[0-9]{1,15}$/.test(length)) {
    throw new WireError(`content-length ${JSON.stringify(lengths)}`);
  }
  return { kind: 'length', length: Number(length) };
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The body of one message, pulled piece by piece. */
export class RawBody {
  readonly framing: Framing;
  /** The chunk extensions met so far, as written after the size, the `;` included. */
  readonly extensions: string[] = [];
  /** Complete only once the body is. */
  trailers: readonly RawHeader[] = [];
  /** Bytes pulled so far. */
  bytes = 0;
  #state: 'open' | 'complete' | 'cut' = 'open';
  readonly #reader: ByteReader;
  #due: number;
  #chunks = 0;

  constructor(reader: ByteReader, framing: Framing) {
    this.#reader = reader;
    this.framing = framing;
    this.#due = framing.kind === 'length' ? framing.length : 0;
    if (framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0)) {
      this.#state = 'complete';
    }
  }

  get state(): 'open' | 'complete' | 'cut' {
    return this.#state;
  }

  /**
   * The next piece as it arrived; `undefined` when there is no more, then `state` says how it ended.
   * @throws WireError for bad chunk framing
   */
  async read(): Promise<Buffer | undefined> {
    if (this.#state !== 'open') return undefined;
    try {
      if (this.framing.kind === 'chunked' && this.#due === 0) await this.#nextChunk();
      // The last chunk completes the body inside #nextChunk, unseen by the compiler's narrowing.
      if (this.#closed()) return undefined;
      const piece = await this.#reader.some(this.framing.kind === 'close' ? Infinity : this.#due);
      if (piece === undefined) return this.#ended(this.#reader.end ?? 'fin');
      this.bytes += piece.length;
      this.#account(piece.length);
      return piece;
    } catch (error) {
      if (!(error instanceof CutError)) throw error;
      return this.#ended(error.end);
    }
  }

  /** The rest of the body in one piece. */
  async all(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let piece = await this.read(); piece !== undefined; piece = await this.read()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Pulls the rest and keeps none of it. */
  async drain(): Promise<void> {
    while ((await this.read()) !== undefined);
  }

  #closed(): boolean {
    return this.#state !== 'open';
  }

  #ended(end: PeerEnd): undefined {
    this.#state = this.framing.kind === 'close' && end === 'fin' ? 'complete' : 'cut';
    return undefined;
  }

  #account(taken: number): void {
    if (this.framing.kind === 'close') return;
    this.#due -= taken;
    if (this.#due === 0 && this.framing.kind === 'length') this.#state = 'complete';
  }

  async #nextChunk(): Promise<void> {
    if (this.#chunks > 0) {
      const end = await this.#reader.line();
      if (end === undefined) throw new CutError(this.#reader.end ?? 'fin');
      if (end.text !== '' || !end.crlf) throw new WireError('no CR LF after a chunk');
    }
    this.#chunks += 1;
    const line = await this.#reader.line();
    if (line === undefined) throw new CutError(this.#reader.end ?? 'fin');
    const match = /^([0-9A-Fa-f]{1,12})(;.*)?$/.exec(line.text);
    if (match?.[1] === undefined || !line.crlf) {
      throw new WireError(`bad chunk size line ${JSON.stringify(line.text)}`);
    }
    if (match[2] !== undefined) this.extensions.push(match[2]);
    this.#due = Number.parseInt(match[1], 16);
    if (this.#due > 0) return;
    this.trailers = (await readFields(this.#reader)).fields;
    this.#state = 'complete';
  }
}
