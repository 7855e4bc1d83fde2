import type { Scenario } from '../scenarios.ts';

/** One burst of requests over a fixed number of keep-alive connections, each with one request at a time. */
export interface Burst {
  readonly port: number;
  readonly scenario: Scenario;
  readonly requests: number;
  readonly connections: number;
  /** `random`: any of the users each time. `each`: one after the other, from the first. */
  readonly users: 'random' | 'each';
  /** Fixes the order in which random users come. */
  readonly seed: number;
  /** The burst is ended, and fails, after this. */
  readonly deadlineMs: number;
}

export interface BurstResult {
  /** Answers that arrived whole. */
  readonly answers: number;
  /** Answers with another status than 2xx, and connections that failed. */
  readonly errors: number;
  readonly durationMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface LoadGenerator {
  readonly name: string;
  run(burst: Burst): Promise<BurstResult>;
}

/** @throws Error when the generator ended without a result */
export function parseBurstResult(json: string): BurstResult {
  if (json === '') throw new Error('the load generator ended without a result');
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(json)));
  const field = (name: keyof BurstResult): number => {
    const value = fields.get(name);
    if (typeof value !== 'number') throw new Error(`the load generator did not report ${name}`);
    return value;
  };
  return {
    answers: field('answers'),
    errors: field('errors'),
    durationMs: field('durationMs'),
    p50Us: field('p50Us'),
    p99Us: field('p99Us'),
  };
}
