import { TurnoutError } from '../errors.ts';
import { HeaderKind, headerKind, headerName, listMembers } from './header-names.ts';

/** A request's head, read once: what is forwarded, and what the gateway needs to know itself. */
export interface RequestHead {
  /** End-to-end headers as they came (name, value, name, value …), those that are rewritten left out. */
  readonly headers: string[];
  readonly host: string | undefined;
  /** As sent: decimal digits, checked by the HTTP parser. */
  readonly contentLength: string | undefined;
  readonly chunked: boolean;
  readonly expectContinue: boolean;
  /** The value of `Trailer`, when the client announces trailers. */
  readonly trailer: string | undefined;
  /** The client accepts trailers in the answer (`TE: trailers`). */
  readonly acceptsTrailers: boolean;
  /** The protocol that the client would like to upgrade to, if it also asked for it in `Connection`. */
  readonly upgrade: string | undefined;
  readonly forwardedFor: string | undefined;
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly forwarded: string | undefined;
  readonly requestId: string | undefined;
  readonly traceparent: string | undefined;
}

/** The head of a request that was not read yet. */
export const UNREAD_HEAD: RequestHead = Object.freeze(emptyHead());

function emptyHead(): RequestHead {
  return readRequestHead([]);
}

/** Host, in the grammar of RFC 3986: a name, an IPv4 address or an IPv6 literal, and a port. */
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]*)(?::[0-9]{0,5})?$/;

/** Whether a Host value (or the authority of an absolute target) is well formed. */
export function isHost(value: string): boolean {
  return value.length <= 255 && HOST.test(value);
}

/**
 * Reads the raw headers (name, value, name, value …) of a request.
 *
 * @throws TurnoutError `bad_host` for a second or malformed Host, `malformed_request` for what the HTTP
 *   parser lets through and a backend could read in another way, `expectation_failed`.
 */
export function readRequestHead(rawHeaders: readonly string[]): RequestHead {
  const headers: string[] = [];
  let connection: string | undefined;
  let host: string | undefined;
  let contentLength: string | undefined;
  let chunked = false;
  let expectContinue = false;
  let trailer: string | undefined;
  let acceptsTrailers = false;
  let upgrade: string | undefined;
  let forwardedFor: string | undefined;
  let forwardedProto: string | undefined;
  let forwardedHost: string | undefined;
  let forwarded: string | undefined;
  let requestId: string | undefined;
  let traceparent: string | undefined;

  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const kind = headerKind(name);
    switch (kind) {
      case HeaderKind.endToEnd:
        headers.push(name, value);
        break;
      case HeaderKind.hopByHop:
        break;
      case HeaderKind.connection:
        connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case HeaderKind.host:
        if (host !== undefined) throw new TurnoutError('bad_host');
        host = value;
        break;
      case HeaderKind.contentLength:
        if (contentLength !== undefined || !isDecimal(value)) throw new TurnoutError('malformed_request');
        contentLength = value;
        break;
      case HeaderKind.transferEncoding:
        // Only `chunked`, once: every other value is one that some backend reads differently.
        if (chunked || value.toLowerCase() !== 'chunked') throw new TurnoutError('malformed_request');
        chunked = true;
        break;
      case HeaderKind.expect:
        if (value.toLowerCase() !== '100-continue') throw new TurnoutError('expectation_failed');
        expectContinue = true;
        break;
      case HeaderKind.trailer:
        trailer = trailer === undefined ? value : `${trailer}, ${value}`;
        break;
      case HeaderKind.upgrade:
        upgrade = value;
        break;
      case HeaderKind.te:
        acceptsTrailers ||= listMembers(value).includes('trailers');
        break;
      case HeaderKind.forwardedFor:
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`;
        break;
      case HeaderKind.forwardedProto:
        forwardedProto ??= value;
        break;
      case HeaderKind.forwardedHost:
        forwardedHost ??= value;
        break;
      case HeaderKind.forwarded:
        forwarded = forwarded === undefined ? value : `${forwarded}, ${value}`;
        break;
      case HeaderKind.requestId:
        requestId ??= value;
        break;
      case HeaderKind.traceparent:
        traceparent ??= value;
        break;
      default: {
        const never: never = kind;
        throw new Error(`unknown header kind ${String(never)}`);
      }
    }
  }

  if (chunked && contentLength !== undefined) throw new TurnoutError('malformed_request');
  if (host !== undefined && !isHost(host)) throw new TurnoutError('bad_host');
  const named = connection === undefined ? undefined : namedByConnection(connection);
  return {
    headers: named === undefined ? headers : withoutNamed(headers, named),
    host,
    contentLength,
    chunked,
    expectContinue,
    trailer,
    acceptsTrailers,
    upgrade: connection !== undefined && asksForUpgrade(connection) ? upgrade : undefined,
    forwardedFor,
    forwardedProto,
    forwardedHost,
    forwarded,
    requestId,
    traceparent,
  };
}

function isDecimal(value: string): boolean {
  if (value.length === 0 || value.length > 16) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** The headers that `Connection` names, beyond the ones that are always dropped; `undefined` for none. */
function namedByConnection(connection: string): Set<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Keep-Alive') return undefined;
  const members = listMembers(connection);
  const named = members.filter((member) => headerName(member).kind === HeaderKind.endToEnd);
  const plain = named.filter((member) => member !== 'close');
  return plain.length === 0 ? undefined : new Set(plain);
}

function asksForUpgrade(connection: string): boolean {
  return listMembers(connection).includes('upgrade');
}

function withoutNamed(headers: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!named.has(headerName(name).lower)) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
