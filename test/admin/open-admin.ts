/** An admin listener over fakes, and how a test asks it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { AdminControl } from '../../src/admin/control-access.ts';
import { createAdmin } from '../../src/admin/create-admin.ts';
import type { AdminGuard } from '../../src/admin/guard-access.ts';
import type { TokenModel } from '../../src/config/model.ts';
import type { ReportReader } from '../../src/reports/create-report-reader.ts';
import { GUARD_CONFIG } from './fake-guard.ts';
import { FakeSource } from './fake-source.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Buffer;
}

/** One for each role: `viewer-token`, `operator-token`, `admin-token`. */
export const TOKENS: readonly TokenModel[] = (['viewer', 'operator', 'admin'] as const).map((role) => ({
  name: `the-${role}`,
  role,
  sha256: createHash('sha256').update(`${role}-token`).digest('hex'),
}));

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export interface OpenOptions {
  readonly tokens?: readonly TokenModel[];
  readonly control?: () => AdminControl | undefined;
  readonly reports?: () => ReportReader | undefined;
  readonly guard?: () => AdminGuard | undefined;
  /** Bound on a body that is read whole. */
  readonly bodyMs?: number;
  /** Where the console's bundle is. */
  readonly consoleFolder?: string;
}

export async function openAdmin(
  t: Test,
  { tokens = [], control, reports, guard, bodyMs = 10_000, consoleFolder }: OpenOptions = {},
) {
  const source = new FakeSource();
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  let nowMs = 0;
  const listen = { host: '127.0.0.1', port: 0 };
  const wired = {
    ...(control === undefined ? {} : { control }),
    ...(consoleFolder === undefined ? {} : { consoleFolder }),
    ...(reports === undefined ? {} : { reports }),
    ...(guard === undefined ? {} : { guard, guardConfig: () => GUARD_CONFIG }),
  };
  const admin = await createAdmin({ listen, tokens, source, ...wired, log, bodyMs, nowMs: () => nowMs });
  t.teardown(() => admin.close());
  const { port } = admin.address;

  async function send(path: string, { method = 'GET', headers = {}, json, body }: Asked): Promise<Answer> {
    const sent = json === undefined ? body : JSON.stringify(json);
    const typed = {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      // Node's client frames the body of a DELETE only when it is told the length.
      ...(sent === undefined ? {} : { 'content-length': Buffer.byteLength(sent) }),
      ...headers,
    };
    const request = httpRequest({ host: '127.0.0.1', port, path, headers: typed, method, agent: false });
    request.end(sent);
    const [response] = await once(request, 'response');
    const answer = await text(response);
    const isJson = /\b(?:problem\+)?json\b/u.test(String(response.headers['content-type'])) && answer !== '';
    return {
      status: response.statusCode,
      headers: response.headers,
      body: answer,
      json: isJson ? JSON.parse(answer) : {},
    };
  }
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    send(path, { method, headers });
  return { source, admin, ask, send, lines, port, passMs: (ms: number) => void (nowMs += ms) };
}
