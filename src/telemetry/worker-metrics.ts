/** The workers of one gateway process group, counted by what they are doing. */
import { type Family, gauge } from './families.ts';

/**
 * `starting`: not listening yet. `ready`: serves. `draining`: finishes what it has. `silent`: did not answer
 * in time when its metrics were asked for. `waiting`: died, and is started again after a back-off.
 */
export const WORKER_STATES = ['starting', 'ready', 'draining', 'silent', 'waiting'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

export function workersFamily(states: readonly WorkerState[]): Family {
  return gauge(
    'turnout_workers',
    'Worker processes, by what they are doing.',
    'sum',
    WORKER_STATES.map((state) => ({
      labels: { state },
      value: states.filter((each) => each === state).length,
    })),
  );
}
