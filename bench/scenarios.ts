/** The requests that every peer is measured with. */

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'get-1k',
    title: 'GET 1 KiB',
    method: 'GET',
    path: '/bytes/1024',
    requestBytes: 0,
    responseBytes: 1024,
  },
  {
    name: 'get-64k',
    title: 'GET 64 KiB',
    method: 'GET',
    path: '/bytes/65536',
    requestBytes: 0,
    responseBytes: 65_536,
  },
  {
    name: 'post-1k',
    title: 'POST 1 KiB',
    method: 'POST',
    path: '/count',
    requestBytes: 1024,
    responseBytes: 64,
  },
  {
    name: 'post-64k',
    title: 'POST 64 KiB',
    method: 'POST',
    path: '/count',
    requestBytes: 65_536,
    responseBytes: 64,
  },
];

/** How many users take turns at random; each is `u1` to `u100000`. */
export const USERS = 100_000;

/** The header that says whose request it is, for every peer that looks users up. */
export const USER_HEADER = 'x-user-id';

/** Sent with each request besides `Host` and the user: about what a client library sends. */
export const REQUEST_HEADERS: readonly (readonly [string, string])[] = [
  ['accept', 'application/json'],
  ['accept-encoding', 'gzip, br'],
  ['user-agent', 'bench/1.0'],
];

/** What a `POST` is answered with: the number of bytes that arrived, padded to a fixed length. */
export function countAnswer(bytes: number): string {
  return `{"bytes":${bytes}}`.padEnd(64);
}
