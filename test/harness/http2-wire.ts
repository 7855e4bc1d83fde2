/** A wire whose client speaks HTTP/2 over TLS, by `node:http2`. */
import { once } from 'node:events';
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { Backend } from '../../src/model.ts';
import { createAuthority } from './certificates.ts';
import { credentialFiles } from './pem-files.ts';
import type { Script } from './raw-backend.ts';
import type { Teardown } from './teardown.ts';
import { startWire, type Wire, type WireOptions } from './wire.ts';
import { within } from './within.ts';

export const authority = createAuthority();
const USER = { legacy: 'leo', new: 'nina' } as const;

export interface Http2Wire {
  readonly wire: Wire;
  readonly session: ClientHttp2Session;
  readonly request: (
    headers?: OutgoingHttpHeaders,
    endStream?: boolean,
    waitForTrailers?: boolean,
  ) => ClientHttp2Stream;
}

/** A gateway that serves TLS, with an HTTP/2 session to it. */
export async function startHttp2(
  t: Teardown,
  side: Backend,
  script: Script | undefined,
  options: WireOptions = {},
): Promise<Http2Wire> {
  const tls = credentialFiles(t, authority.server('127.0.0.1'));
  const settings = { ...options.settings, listen: { tls } };
  const wire = await startWire(t, side, script, { ...options, settings });
  const session = http2.connect(`https://127.0.0.1:${wire.gateway.port}`, { ca: authority.cert });
  session.on('error', () => undefined);
  t.teardown(() => {
    session.destroy();
  });
  await within(once(session, 'connect'), 'the session');
  const request: Http2Wire['request'] = (headers = {}, endStream = true, waitForTrailers = false) => {
    const stream = session.request({ 'x-user': USER[side], ...headers }, { endStream, waitForTrailers });
    stream.on('error', () => undefined);
    return stream;
  };
  return { wire, session, request };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
  /** The error code of RST_STREAM; 0 for a proper end. */
  readonly reset: number;
}

/** The whole answer, when its stream is closed. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: http2.IncomingHttpHeaders & { ':status'?: number } = {};
  let trailers: http2.IncomingHttpHeaders = {};
  const pieces: Buffer[] = [];
  stream.on('response', (given) => {
    headers = given;
  });
  stream.on('trailers', (given) => {
    trailers = given;
  });
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece);
  });
  const closed = Promise.withResolvers<void>();
  stream.once('close', closed.resolve);
  await within(closed.promise, 'the end of the stream');
  return {
    status: headers[':status'] ?? 0,
    headers,
    body: Buffer.concat(pieces),
    trailers,
    reset: stream.rstCode,
  };
}
