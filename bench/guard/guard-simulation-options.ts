import { parseArgs } from 'node:util';
import { positive } from '../flips/flip-options.ts';

export interface GuardSimulationOptions {
  /** Of each metric, divided evenly among its kinds of days. */
  readonly days: number;
  readonly seed: number;
  /** Failures of each kind that is asked for; a fifth of it of the others. */
  readonly runs: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

export const GUARD_SIMULATION_USAGE = `npm run bench -- guard-simulation [options]    how often the guard cries wolf, and how soon it trips

  --days N          simulated days of each metric, divided evenly among its kinds of days (default 1000)
  --runs N          simulated failures of each kind (default 1000)
  --seed N          (default 1)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseGuardSimulationOptions(args: readonly string[]): GuardSimulationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      days: { type: 'string', default: '1000' },
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      results: { type: 'string' },
    },
  });
  return {
    days: positive('days', values.days),
    runs: positive('runs', values.runs),
    seed: positive('seed', values.seed),
    results: values.results,
  };
}
