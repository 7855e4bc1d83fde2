/** Two raw backends and a gateway whose user `nina` is in a cohort at `live`, with marks in memory. */
import type { FallbackOutcome } from '../../src/guard/guard-control.ts';
import type { Backend, Cohort, Stage, UserRecord } from '../../src/model.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { type GatewayOptions, type Settings, startGateway, type TestGateway } from '../harness/gateway.ts';
import { MemoryMarks } from '../harness/memory-marks.ts';
import {
  answering,
  okAnswer,
  type RawBackend,
  type Script,
  startRawBackend,
} from '../harness/raw-backend.ts';
import type { RawAnswer, RawClient } from '../harness/raw-client.ts';
import type { Teardown } from '../harness/teardown.ts';

export interface FallbackWorldOptions extends Partial<Omit<GatewayOptions, 'marks'>> {
  /** What `new` does with a request. */
  readonly new?: Script;
  readonly newPort?: number;
  readonly legacy?: Script;
  readonly legacyPort?: number;
  readonly fallback?: Settings;
  readonly cohort?: Settings;
  readonly http2?: boolean;
}

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  /** Whole header lines, each with its CR LF. */
  readonly headers?: string;
  readonly body?: string;
  readonly user?: string;
}

export class FallbackWorld {
  readonly gateway: TestGateway;
  readonly legacy: RawBackend;
  readonly new: RawBackend;
  readonly marks: MemoryMarks;

  constructor(gateway: TestGateway, backends: { legacy: RawBackend; new: RawBackend }, marks: MemoryMarks) {
    this.gateway = gateway;
    this.legacy = backends.legacy;
    this.new = backends.new;
    this.marks = marks;
  }

  static text({ method = 'GET', target = '/', headers = '', body = '', user = 'nina' }: Asked = {}): string {
    const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    return `${method} ${target} HTTP/1.1\r\nHost: shop.test\r\nX-User: ${user}\r\n${length}${headers}\r\n${body}`;
  }

  /** Sends a request on a connection of its own, and does not wait. */
  async send(asked: Asked = {}): Promise<RawClient> {
    const client = await this.gateway.connect();
    await client.send(FallbackWorld.text(asked));
    return client;
  }

  /** One request on a connection of its own. */
  async ask(asked: Asked = {}): Promise<RawAnswer> {
    const client = await this.send(asked);
    const answer = await client.answer(asked.method);
    client.finish();
    return answer;
  }

  /** The definition of the user's cohort is another one from now on. */
  put(change: Partial<Cohort>): void {
    const { state } = this.gateway;
    const { epoch, cohorts } = state.snapshot;
    const changed = cohorts.map((each) => (each.name === 'movers' ? { ...each, ...change } : each));
    state.replace(createSnapshot({ mapId: 'memory', epoch: epoch + 1, cohorts: changed }));
  }

  stage(stage: Stage): void {
    this.put({ stage });
  }

  async record(user: string, record: UserRecord): Promise<void> {
    await this.gateway.state.putUser(user, record);
  }

  /** What was sent to a backend so far. */
  attempts(backend: Backend): { readonly requests: number; readonly failed: number } {
    const { attempts } = this.gateway;
    attempts.drain();
    const found = attempts.totals().find((each) => each.cohort === 'movers' && each.backend === backend);
    return { requests: found?.requests ?? 0, failed: found?.failed ?? 0 };
  }

  /** Asks again and again, for what nobody tells. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  counted(outcome: FallbackOutcome): Promise<number> {
    return this.gateway.sum('turnout_fallback_reads_total', { cohort: 'movers', outcome });
  }
}

/** By default both answer with their name. */
export async function startFallbackWorld(
  t: Teardown,
  options: FallbackWorldOptions = {},
): Promise<FallbackWorld> {
  const legacy = await startRawBackend(t, options.legacy ?? answering(okAnswer('legacy')));
  const renewed = await startRawBackend(t, options.new ?? answering(okAnswer('new')));
  const marks = new MemoryMarks();
  const { settings, fallback = {}, cohort = {}, ...rest } = options;
  const gateway = await startGateway(t, {
    ...rest,
    backends: { legacy: options.legacyPort ?? legacy.port, new: options.newPort ?? renewed.port },
    marks,
    settings: {
      forwarding: { exposeHeaders: true },
      cohorts: [
        {
          name: 'movers',
          rule: { attribute: 'header.x-user', in: ['nina', 'nick'] },
          stage: 'live',
          ...cohort,
        },
        { name: 'everyone', default: true, stage: 'live' },
      ],
      routes: [
        { name: 'search', match: '/search', methods: ['POST'], class: 'read' },
        { name: 'all', match: '/*' },
      ],
      guard: { fallback },
      ...settings,
    },
  });
  const world = new FallbackWorld(gateway, { legacy, new: renewed }, marks);
  const { cohorts, epoch } = gateway.state.snapshot;
  const tracked = cohorts.map((each) => ({ ...each, era: { number: 1, tracked: true } }));
  gateway.state.replace(createSnapshot({ mapId: 'memory', epoch: epoch + 1, cohorts: tracked }));
  return world;
}
