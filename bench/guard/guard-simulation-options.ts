import { parseArgs } from 'node:util';
import { positive } from '../flips/flip-options.ts';
import { SIMULATED_METRICS, type SimulatedMetric } from './cell.ts';

export interface GuardSimulationOptions {
  /** Of each metric, divided evenly among its kinds of days. */
  readonly days: number;
  readonly seed: number;
  readonly metrics: readonly SimulatedMetric[];
  /** Failures of each kind that is asked for; a fifth of it of the others. */
  readonly runs: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

export const GUARD_SIMULATION_USAGE = `npm run bench -- guard-simulation [options]    how often the guard cries wolf, and how soon it trips

  --days N          simulated days of each metric, divided evenly among its kinds of days (default 1000)
  --runs N          simulated failures of each kind (default 1000)
  --metrics LIST    of errorRate,meanLatencyMs (default both)
  --seed N          (default 1)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseGuardSimulationOptions(args: readonly string[]): GuardSimulationOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      days: { type: 'string', default: '1000' },
      runs: { type: 'string', default: '1000' },
      metrics: { type: 'string', default: SIMULATED_METRICS.join(',') },
      seed: { type: 'string', default: '1' },
      results: { type: 'string' },
    },
  });
  return {
    days: positive('days', values.days),
    runs: positive('runs', values.runs),
    seed: positive('seed', values.seed),
    metrics: values.metrics.split(',').map((name) => {
      const metric = SIMULATED_METRICS.find((known) => known === name);
      if (metric === undefined) throw new Error(`--metrics ${name}: one of ${SIMULATED_METRICS.join(', ')}`);
      return metric;
    }),
    results: values.results,
  };
}
