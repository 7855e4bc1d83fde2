/** Two backends, a gateway that shadows every read, and what it tells. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ShadowReports } from '../../src/shadow/create-shadow-reads.ts';
import type { ShadowActivity } from '../../src/shadow/shadow-reads.ts';
import { type Backend, startBackend } from '../harness/backend.ts';
import { type Settings, startGateway, type TestGateway } from '../harness/gateway.ts';
import type { RawAnswer } from '../harness/raw-client.ts';
import type { Teardown } from '../harness/teardown.ts';
import { MemorySink } from './memory-sink.ts';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Answers 200 with this document. */
export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Answering {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };
}

export interface WorldOptions {
  /** By default `{"a":1}`, both. */
  readonly legacy?: Answering;
  readonly new?: Answering;
  /** Stands for a backend that is not one of ours. */
  readonly newPort?: number;
  readonly shadow?: Settings;
  readonly route?: Settings;
  readonly settings?: Settings;
  readonly backendSettings?: Settings;
  readonly reports?: Partial<ShadowReports>;
}

export interface World {
  readonly legacy: Backend;
  readonly new: Backend;
  readonly gateway: TestGateway;
  readonly sink: MemorySink;
  /** What is under way in the gateway. */
  activity(): ShadowActivity;
  /** One request on a connection of its own, of a user whom legacy serves (`leo`) or new does (`nina`). */
  ask(target: string, options?: AskOptions): Promise<RawAnswer>;
}

export interface AskOptions {
  readonly user?: 'leo' | 'nina' | 'otto';
  readonly method?: string;
  /** Whole header lines, each with its CR LF. */
  readonly headers?: string;
  readonly body?: string;
}

/**
 * `leo` is in a cohort at `shadow`: legacy serves, new is compared. `nina` is at `live`: the other way round. `otto`
 * is at `off`: nothing is copied. Differences are confirmed at once, nothing is repeated for noise, and the
 * event loop is never taken to be late, unless the test says so.
 */
export async function startWorld(t: Teardown, options: WorldOptions = {}): Promise<World> {
  const legacy = await startBackend(t, options.legacy ?? json({ a: 1 }));
  const renewed = await startBackend(t, options.new ?? json({ a: 1 }));
  const sink = new MemorySink();
  const cohort = (name: string, user: string, stage: string): Settings => ({
    name,
    stage,
    rule: { attribute: 'header.x-user', in: [user] },
  });
  const gateway = await startGateway(t, {
    backends: { legacy: legacy.port, new: options.newPort ?? renewed.port },
    backendSettings: options.backendSettings ?? {},
    settings: {
      cohorts: [
        cohort('careful', 'leo', 'shadow'),
        cohort('movers', 'nina', 'live'),
        { name: 'everyone', default: true, stage: 'off' },
      ],
      routes: [
        { name: 'changing', match: '/changing', class: 'write' },
        { name: 'quiet', match: '/quiet' },
        { name: 'search', match: '/search', class: 'read', shadow: { sample: 1 } },
        { name: 'all', match: '/*', shadow: { sample: 1 }, ...options.route },
      ],
      shadow: { confirmAfterMs: 1, noiseSample: 0, deadlineMs: 10_000, ...options.shadow },
      ...options.settings,
    },
    reports: { sink, random: () => 0, lagging: () => false, ...options.reports },
  });
  const ask = async (target: string, asked: AskOptions = {}): Promise<RawAnswer> => {
    const { user = 'leo', method = 'GET', headers = '', body = '' } = asked;
    const client = await gateway.connect();
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const answer = await client.request(
      `${method} ${target} HTTP/1.1\r\nHost: shop.test\r\nX-User: ${user}\r\n${length}${headers}\r\n${body}`,
    );
    client.finish();
    return answer;
  };
  const activity = (): ShadowActivity => {
    const now = gateway.gateway.shadowActivity();
    if (now === undefined) throw new Error('the gateway has no shadow reads');
    return now;
  };
  return { legacy, new: renewed, gateway, sink, ask, activity };
}
