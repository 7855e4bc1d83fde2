/** A read as it is sent a second time, and as it is told to the reports. */
import { requestHeaders } from '../forwarding/request-headers.ts';
import { requestIdOf } from '../intake/request-id.ts';
import type { SentRead, ShadowClient } from '../upstream/shadow-client.ts';
import type { DecidedRead } from './chosen-read.ts';
import { targetWithoutCredentials, withoutCredentials } from './credentials.ts';
import type { ShadowRequest } from './report-sink.ts';

/** What marks a read that no user waits for; backends may count it apart, and must not act on it. */
const MARKER = ['x-turnout-shadow', '1'] as const;

/**
 * The headers are those that the forwarder would send, conditional and range headers and `Accept-Encoding`
 * included; but a request id of its own, with the original's beside it.
 *
 * @param pseudonym of this gateway in `Via`
 */
export function sentRead(
  decided: DecidedRead,
  body: Buffer | undefined,
  client: Pick<ShadowClient, 'hostFor'>,
  pseudonym: string,
): SentRead {
  const { head, connection, http2, httpVersion, requestId, view } = decided;
  const host = client.hostFor(head.host);
  const headers = requestHeaders(
    {
      head: { ...head, headers: [...head.headers] },
      connection,
      requestId: requestIdOf(undefined),
      http2,
      httpVersion,
    },
    host,
    pseudonym,
  );
  headers.push(...MARKER, 'x-turnout-shadow-of', requestId);
  const announced = head.contentLength === undefined ? undefined : Number(head.contentLength);
  return {
    method: view.method,
    target: view.target,
    host,
    headers,
    contentLength: body?.length ?? announced,
    body,
  };
}

/** @param tokenHeaders names in lower case, besides the usual ones, that carry credentials */
export function toldRequest(decided: DecidedRead, tokenHeaders: ReadonlySet<string>): ShadowRequest {
  const { head, view } = decided;
  const host = head.host === undefined ? [] : ['host', head.host];
  return Object.freeze({
    method: view.method,
    target: targetWithoutCredentials(view.target),
    headers: withoutCredentials([...host, ...head.headers], tokenHeaders),
  });
}

/** A read that the reports remember, sent again. @param more headers that take the place of those of their names */
export function replayedRead(
  request: ShadowRequest,
  client: Pick<ShadowClient, 'hostFor'>,
  more: readonly { readonly name: string; readonly value: string }[],
): SentRead {
  const replaced = new Set(more.map(({ name }) => name.toLowerCase()));
  const headers: string[] = [];
  let host: string | undefined;
  for (let i = 0; i + 1 < request.headers.length; i += 2) {
    const name = request.headers[i] ?? '';
    const value = request.headers[i + 1] ?? '';
    if (name.toLowerCase() === 'host') host = value;
    else if (!replaced.has(name.toLowerCase())) headers.push(name, value);
  }
  for (const { name, value } of more) headers.push(name, value);
  headers.push('x-request-id', requestIdOf(undefined), ...MARKER);
  const { method, target } = request;
  return { method, target, host: client.hostFor(host), headers, contentLength: undefined, body: undefined };
}
