/** A raw backend on one side, a gateway in front, and the certainty that nothing went anywhere else. */
import { AssertionError } from 'node:assert';
import type { Backend } from '../../src/model.ts';
import { AS_USER_OF, type Settings, startGateway, type TestGateway } from './gateway.ts';
import { type RawBackend, type RawBackendOptions, type Script, startRawBackend } from './raw-backend.ts';
import type { RawAnswer } from './raw-client.ts';
import type { Teardown } from './teardown.ts';

export interface WireOptions extends RawBackendOptions {
  readonly settings?: Settings;
  readonly backendSettings?: Settings;
  /** The case makes the gateway send broken requests on purpose: an upload that the client cuts. */
  readonly violationsExpected?: boolean;
}

export interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  /** Whole header lines, each with its CR LF. */
  readonly headers?: string;
  /** As it goes over the wire; its framing is up to `headers`. */
  readonly body?: string;
}

export class Wire {
  readonly gateway: TestGateway;
  readonly backend: RawBackend;
  readonly side: Backend;

  constructor(gateway: TestGateway, backend: RawBackend, side: Backend) {
    this.gateway = gateway;
    this.backend = backend;
    this.side = side;
  }

  /** The bytes of one request of this side's user. */
  text({ method = 'GET', target = '/', headers = '', body = '' }: RequestParts = {}): string {
    return `${method} ${target} HTTP/1.1\r\nHost: shop.test\r\n${AS_USER_OF[this.side]}${headers}\r\n${body}`;
  }

  /** One request on a connection of its own. */
  async request(parts: RequestParts = {}): Promise<RawAnswer> {
    const client = await this.gateway.connect();
    const answer = await client.request(this.text(parts));
    client.finish();
    return answer;
  }
}

/**
 * Starts both backends and a gateway. The test fails when anything reaches the other side, or when anything
 * that is not valid HTTP reaches this one.
 */
export async function startWire(
  t: Teardown,
  side: Backend,
  script: Script | undefined,
  options: WireOptions = {},
): Promise<Wire> {
  const started: { backend?: RawBackend; other?: RawBackend } = {};
  // Registered first, so that it runs when everything has ended.
  t.teardown(() => {
    if ((started.other?.connections.length ?? 0) > 0) {
      throw new AssertionError({ message: `the backend that is not ${side} was touched` });
    }
    const violations = started.backend?.violations ?? [];
    if (violations.length > 0 && options.violationsExpected !== true) {
      throw new AssertionError({ message: `not HTTP at the backend: ${violations.join('; ')}` });
    }
  });
  const backend = await startRawBackend(t, script, options);
  const other = await startRawBackend(t);
  Object.assign(started, { backend, other });
  const scheme = options.tls === undefined ? 'http' : 'https';
  const origin = `${scheme}://127.0.0.1:${backend.port}`;
  const { settings = {}, backendSettings = {} } = options;
  const backends =
    side === 'legacy' ? { legacy: origin, new: other.port } : { legacy: other.port, new: origin };
  const gateway = await startGateway(t, { backends, settings, backendSettings });
  return new Wire(gateway, backend, side);
}

/** The chunked form of a body, with one chunk for each piece. */
export function chunked(pieces: readonly string[], trailers = ''): string {
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  return `${chunks.join('')}0\r\n${trailers}\r\n`;
}
