import { Readable } from 'node:stream';
import { TurnoutError } from '../errors.ts';

/** A body that is here as a whole, in the pieces in which it came. */
export type WholeBody = readonly Buffer[];

/** A request as it goes to a backend. */
export interface BackendRequest {
  readonly method: string;
  /** With the backend's own base path; `*` for `OPTIONS`. */
  readonly path: string;
  readonly host: string;
  /** Name, value, name, value …, latin1: neither Host, nor what speaks of the connection or frames the body. */
  readonly headers: readonly string[];
  /** Bytes of the body, if that was announced; without it a stream is sent in chunks. */
  readonly contentLength: number | undefined;
  /** The backend says whether it wants the body. */
  readonly expectContinue: boolean;
  readonly body: Readable | WholeBody | null;
  /** Asked for at the end of a body that is sent in chunks: name, value, name, value …, latin1. */
  readonly trailers: () => readonly string[];
}

/** The request cannot be sent as it is: it would not be one request, or not this one. */
export class UnsendableRequest extends Error {
  override readonly name = 'UnsendableRequest';
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The head of a request as it goes over the wire, latin1.
 *
 * @throws UnsendableRequest
 * @throws Error what its body was ended with, before it was sent
 */
export function requestText(request: BackendRequest): string {
  const { method, path, host, headers, body } = request;
  const isWhole = body !== null && !(body instanceof Readable);
  // A whole body is sent as it is, whether it was announced or not.
  const contentLength = isWhole ? bytesOf(body) : request.contentLength;
  if (!METHOD.test(method) || path === '' || NOT_IN_PATH.test(path))
    throw new UnsendableRequest('its first line');
  if (body === null && (contentLength ?? 0) > 0) throw new UnsendableRequest('a body that is not there');
  // It would not tell of its end any more.
  if (body instanceof Readable && body.destroyed)
    throw body.errored ?? new TurnoutError('client_closed_upload');
  if (NOT_IN_VALUE.test(host)) throw new UnsendableRequest('its host');
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${fieldLines(headers)}`;
  if (request.expectContinue) text += 'expect: 100-continue\r\n';
  if (contentLength !== undefined) text += `content-length: ${contentLength}\r\n`;
  else if (body !== null) text += 'transfer-encoding: chunked\r\n';
  return `${text}\r\n`;
}

export function bytesOf(body: WholeBody): number {
  let bytes = 0;
  for (const piece of body) bytes += piece.length;
  return bytes;
}

/**
 * Headers, or trailers, as lines. Their names were found valid by the parser that read them.
 *
 * @throws UnsendableRequest
 */
export function fieldLines(fields: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1] ?? '';
    if (NOT_IN_VALUE.test(value)) throw new UnsendableRequest('a header');
    lines += `${fields[i]}: ${value}\r\n`;
  }
  return lines;
}
