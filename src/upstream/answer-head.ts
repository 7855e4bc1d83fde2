/** Reads the head of a backend's answer, strictly: what two readers could take in two ways is refused. */

/** The backend said something that is not HTTP/1.1, or that is ambiguous. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** How the end of a body is known (RFC 9112, 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export interface AnswerHead {
  readonly status: number;
  /** As sent, latin1. */
  readonly reason: string;
  /** Name, value, name, value …, latin1, in the backend's order and case, without the white space around values. */
  readonly headers: string[];
  readonly framing: Framing;
  /** Of the body, bytes; 0 unless it is framed by its length. */
  readonly length: number;
  /** The connection may carry another request after this answer. */
  readonly keepsAlive: boolean;
  /** How long the backend keeps an idle connection, seconds, if it says so. */
  readonly keepAliveS: number | undefined;
}

const LF = 10;
const SPACE = 32;
const TAB = 9;
const ZERO = 48;

/** Neither visible, nor white space of a line, nor a byte beyond ASCII, which is anybody's text. */
const CONTROL = /[^\t\x20-\x7e\x80-\xff\r\n]/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = /^\d{1,15}$/;
const TIMEOUT = /(?:^|[,\s])timeout=(\d{1,9})/i;

type Meaning = 'none' | 'content-length' | 'transfer-encoding' | 'connection' | 'keep-alive';

/** Backends have few names; those that were found valid are not looked at again. */
const MEANINGS = new Map<string, Meaning>();
const MEANINGS_MAX = 1_000;

/** @throws MalformedAnswer */
function meaningOf(name: string): Meaning {
  const known = MEANINGS.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) throw new MalformedAnswer('a header without a name that is a token');
  const lower = name.toLowerCase();
  const meaning =
    lower === 'content-length' ||
    lower === 'transfer-encoding' ||
    lower === 'connection' ||
    lower === 'keep-alive'
      ? lower
      : 'none';
  // A copy: a piece of the head would keep all of the head.
  if (MEANINGS.size < MEANINGS_MAX) MEANINGS.set(Buffer.from(name, 'latin1').toString('latin1'), meaning);
  return meaning;
}

/** What the headers say of the framing and the connection. */
interface Said {
  length: number;
  transferEncoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

/**
 * Reads the lines of headers, or of trailers, from `at` up to the empty line at `end`.
 *
 * @throws MalformedAnswer
 */
function readFields(text: string, from: number, end: number, said: Said): string[] {
  const fields: string[] = [];
  let at = from;
  while (at < end) {
    const eol = text.indexOf('\r', at);
    if (text.charCodeAt(eol + 1) !== LF || text.indexOf('\n', at) !== eol + 1)
      throw new MalformedAnswer('a line that does not end in CR LF');
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > eol) throw new MalformedAnswer('a header without a colon');
    const name = text.slice(at, colon);
    const meaning = meaningOf(name);
    let start = colon + 1;
    while (isBlank(text.charCodeAt(start))) start += 1;
    let stop = eol;
    while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop -= 1;
    const value = text.slice(start, stop);
    fields.push(name, value);
    if (meaning !== 'none') say(said, meaning, value);
    at = eol + 2;
  }
  return fields;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** @throws MalformedAnswer */
function say(said: Said, meaning: Exclude<Meaning, 'none'>, value: string): void {
  switch (meaning) {
    case 'content-length':
      if (said.length >= 0) throw new MalformedAnswer('more than one Content-Length');
      if (!LENGTH.test(value)) throw new MalformedAnswer('a Content-Length that is no number of bytes');
      said.length = Number(value);
      return;
    case 'transfer-encoding':
      if (said.transferEncoding !== undefined) throw new MalformedAnswer('more than one Transfer-Encoding');
      said.transferEncoding = value.toLowerCase();
      return;
    case 'connection':
      said.connection = said.connection === undefined ? value : `${said.connection},${value}`;
      return;
    case 'keep-alive':
      said.keepAlive = said.keepAlive === undefined ? value : `${said.keepAlive},${value}`;
      return;
    default:
      meaning satisfies never;
  }
}

/**
 * Reads a head.
 *
 * @param text the head as latin1, with the empty line at its end
 * @param isToHead it answers a `HEAD`: the length that it announces is of a body that does not come
 * @throws MalformedAnswer
 */
export function readAnswerHead(text: string, isToHead: boolean): AnswerHead {
  const eol = text.indexOf('\r');
  const minor = text.charCodeAt(7) - ZERO;
  const status =
    (text.charCodeAt(9) - ZERO) * 100 + (text.charCodeAt(10) - ZERO) * 10 + text.charCodeAt(11) - ZERO;
  if (!text.startsWith('HTTP/1.') || (minor !== 0 && minor !== 1) || !STATUS.test(text.slice(8, eol)))
    throw new MalformedAnswer('a first line that is none of HTTP/1.1');
  if (text.charCodeAt(eol + 1) !== LF || text.indexOf('\n') !== eol + 1 || CONTROL.test(text))
    throw new MalformedAnswer('a control character in the head');
  const said: Said = { length: -1, transferEncoding: undefined, connection: undefined, keepAlive: undefined };
  const headers = readFields(text, eol + 2, text.length - 2, said);
  const framing = framingOf(said, isToHead || status < 200 || status === 204 || status === 304);
  return {
    status,
    reason: text.slice(13, eol),
    headers,
    framing,
    length: framing === 'length' ? said.length : 0,
    keepsAlive: framing !== 'close' && keepsAlive(said, minor),
    keepAliveS: said.keepAlive === undefined ? undefined : seconds(said.keepAlive),
  };
}

/** From the space behind the version on. */
const STATUS = /^ [1-9]\d\d(?: |$)/;

/** @throws MalformedAnswer */
function framingOf(said: Said, isBodiless: boolean): Framing {
  const { length, transferEncoding } = said;
  if (transferEncoding !== undefined) {
    if (length >= 0) throw new MalformedAnswer('both Content-Length and Transfer-Encoding');
    // The gateway asks for no coding, and could not name one to its client.
    if (transferEncoding !== 'chunked' && transferEncoding !== 'identity')
      throw new MalformedAnswer('a Transfer-Encoding other than chunked');
    if (isBodiless) return 'none';
    return transferEncoding === 'chunked' ? 'chunked' : 'close';
  }
  if (isBodiless || length === 0) return 'none';
  return length > 0 ? 'length' : 'close';
}

function keepsAlive({ connection, transferEncoding }: Said, minor: number): boolean {
  if (minor === 1 && (connection === undefined || connection === 'keep-alive')) return true;
  if (connection === undefined) return false;
  const options = connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  if (options.includes('close')) return false;
  // HTTP/1.0 does not know chunks: whoever sends them has not understood the framing (RFC 9112, 6.1).
  return minor === 1 || (options.includes('keep-alive') && transferEncoding === undefined);
}

function seconds(value: string): number | undefined {
  const [, timeout] = TIMEOUT.exec(value) ?? [];
  return timeout === undefined ? undefined : Number(timeout);
}

/**
 * Reads what follows the last chunk.
 *
 * @param text the trailers as latin1, with the empty line at their end
 * @throws MalformedAnswer
 */
export function readTrailers(text: string): string[] {
  if (CONTROL.test(text)) throw new MalformedAnswer('a control character in the trailers');
  const said: Said = { length: -1, transferEncoding: undefined, connection: undefined, keepAlive: undefined };
  const trailers = readFields(text, 0, text.length - 2, said);
  if (said.length >= 0) throw new MalformedAnswer('a Content-Length behind the body');
  return trailers;
}
