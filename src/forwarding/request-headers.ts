import type { ClientConnection } from '../intake/client-connection.ts';
import { HeaderKind, headerName } from '../intake/header-names.ts';
import type { RequestHead } from '../intake/request-head.ts';
import { traceparentOf } from '../intake/request-id.ts';

/** What the headers are made of. */
export interface ForwardedRequest {
  readonly head: RequestHead;
  readonly connection: ClientConnection;
  readonly requestId: string;
  readonly http2: boolean;
  /** `1.1`, `1.0` or `2.0`. */
  readonly httpVersion: string;
}

/**
 * The headers that the backend gets besides Host and those that frame the body: the client's end-to-end headers in their
 * order and case, then the ones that the gateway is responsible for.
 *
 * A peer that is no trusted proxy cannot speak for others: its `X-Forwarded-*` and `Forwarded` are replaced.
 *
 * @param host the value of Host
 * @param via the pseudonym of this gateway in `Via`
 */
export function requestHeaders(request: ForwardedRequest, host: string, via: string): string[] {
  const { head, connection } = request;
  const headers = head.headers;
  if (head.trailer !== undefined) headers.push('trailer', head.trailer);
  if (head.acceptsTrailers) headers.push('te', 'trailers');

  const { address, trusted } = connection;
  const scheme = connection.encrypted ? 'https' : 'http';
  if (trusted) {
    headers.push(
      'x-forwarded-for',
      head.forwardedFor === undefined ? address : `${head.forwardedFor}, ${address}`,
      'x-forwarded-proto',
      head.forwardedProto ?? scheme,
      'x-forwarded-host',
      head.forwardedHost ?? head.host ?? host,
    );
    if (head.forwarded !== undefined) headers.push('forwarded', head.forwarded);
  } else {
    headers.push(
      'x-forwarded-for',
      address,
      'x-forwarded-proto',
      scheme,
      'x-forwarded-host',
      head.host ?? host,
    );
  }
  headers.push(
    'x-request-id',
    request.requestId,
    'traceparent',
    traceparentOf(head.traceparent),
    'via',
    `${request.http2 ? '2' : request.httpVersion} ${via}`,
  );
  return headers;
}

/**
 * The trailers that the backend gets. They may add to a request; they may not change its framing, its route or whose it
 * is.
 */
export function requestTrailers(raw: readonly string[]): string[] {
  const trailers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (headerName(name).kind === HeaderKind.endToEnd) trailers.push(name, raw[i + 1] ?? '');
  }
  return trailers;
}
