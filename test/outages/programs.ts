/** The program `turnout start`, as processes of their own on one Redis and one Postgres, asked through its two ports. */
import type { Test } from 'tap';
import { configurationFile } from '../cli/configuration.ts';
import { TurnoutProcess } from '../cli/turnout-process.ts';
import type { PostgresFixture } from '../fixtures/postgres.ts';
import type { RedisFixture } from '../fixtures/redis.ts';
import { backend } from '../workers/running-workers.ts';
import { untilAnswered } from './outage-world.ts';

/** A cohort for each, which a rule leads to that looks for its name in `x-plan`. */
export const STAGES = ['off', 'dualwrite', 'shadow', 'live', 'rampdown', 'complete'] as const;
export type CohortStage = (typeof STAGES)[number];

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

export class Program {
  readonly #port: number;
  readonly #adminPort: number;

  constructor(port: number, adminPort: number) {
    this.#port = port;
    this.#adminPort = adminPort;
  }

  async #ask(port: number, path: string, init: RequestInit): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const text = await answer.text();
    return { status: answer.status, text, retryAfter: answer.headers.get('retry-after') };
  }

  /** A request of the user, whose attributes lead to the cohort `plan`. */
  send(method: 'GET' | 'POST', user: string, plan = 'none'): Promise<Answer> {
    const headers = { 'x-user': user, 'x-plan': plan };
    return this.#ask(this.#port, '/things', { method, headers, ...(method === 'POST' ? { body: 'x' } : {}) });
  }

  /** Of the admin API. */
  get(path: string): Promise<Answer> {
    return this.#ask(this.#adminPort, path, { headers: { connection: 'close' } });
  }

  /** Asks the admin API for a change. */
  change(method: 'POST' | 'PUT', path: string, wish: Readonly<Record<string, string>>): Promise<Answer> {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const body = JSON.stringify({ ...wish, reason: 'test' });
    return this.#ask(this.#adminPort, `/api/v1${path}`, { method, headers, body });
  }

  /** Waits until `path` says `wanted`. */
  async until(path: string, wanted: RegExp): Promise<void> {
    await untilAnswered(`${wanted} at ${path}`, async () => {
      const { text } = await this.get(path);
      return wanted.test(text) ? true : undefined;
    });
  }
}

export interface ProgramsOptions {
  readonly redis: RedisFixture;
  readonly postgres: PostgresFixture;
  readonly selfFenceAfterMs: number;
}

/**
 * A function that starts one more of them.
 *
 * @returns its parameter says what becomes of reads behind the fence
 */
export async function programs(
  t: Test,
  { redis, postgres, selfFenceAfterMs }: ProgramsOptions,
): Promise<(staleReads: 'serve' | 'refuse') => Promise<Program>> {
  const [legacy, next] = await Promise.all(
    ['legacy', 'new'].map((name) => backend(t, (_incoming, response) => response.end(name))),
  );
  const cohorts = STAGES.map((stage) => ({
    name: stage,
    rule: { attribute: 'header.x-plan', in: [stage] },
    stage,
  }));
  return async (staleReads) => {
    const configuration = {
      listen: { port: 0 },
      admin: { listen: { port: 0 } },
      backends: {
        legacy: { url: `http://127.0.0.1:${legacy}` },
        new: { url: `http://127.0.0.1:${next}` },
      },
      state: { kind: 'redis', url: redis.url, keyPrefix: redis.prefix },
      record: { kind: 'postgres', url: postgres.url },
      identity: [{ from: 'header', name: 'x-user', trusted: true }],
      cohorts: [...cohorts, { name: 'everyone', default: true, stage: 'off' }],
      cutover: { selfFenceAfterMs, staleReads },
    };
    // YAML reads JSON.
    const file = await configurationFile(t, JSON.stringify(configuration));
    const started = new TurnoutProcess(t, ['start', '--config', file]);
    const { port, adminPort } = await started.ports();
    return new Program(port, adminPort);
  };
}

/** Who serves a user of a cohort at this stage. */
export function ownerAt(stage: CohortStage): 'legacy' | 'new' {
  return stage === 'live' || stage === 'rampdown' || stage === 'complete' ? 'new' : 'legacy';
}

/** Whether a gateway refuses writes at this stage when it is fenced. */
export function isFenced(stage: CohortStage): boolean {
  return stage !== 'off' && stage !== 'complete';
}
