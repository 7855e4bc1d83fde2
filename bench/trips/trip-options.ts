import { parseArgs } from 'node:util';
import { positive } from '../flips/flip-options.ts';
import { FAULTS, type Fault } from './faults.ts';

export interface TripOptions {
  readonly faults: readonly Fault[];
  /** Requests a second, one run of every fault for each. */
  readonly rates: readonly number[];
  /** Runs of each; the median is quoted. */
  readonly rounds: number;
  readonly gateways: number;
  /** How long the guard may take before a run is given up, seconds. */
  readonly seconds: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

export const TRIPS_USAGE = `npm run bench -- trips [options]     from the first failure of new to the rollback in force everywhere

  --faults A,B      of ${FAULTS.join(', ')} (default all)
  --rates A,B       requests a second (default 20,200,2000)
  --rounds N        runs of each (default 3)
  --gateways N      gateways, each a process with a guard of its own (default 2)
  --seconds N       how long the guard may take (default 60)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseTripOptions(args: readonly string[]): TripOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      faults: { type: 'string', default: FAULTS.join(',') },
      rates: { type: 'string', default: '20,200,2000' },
      rounds: { type: 'string', default: '3' },
      gateways: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '60' },
      results: { type: 'string' },
    },
  });
  const faults = values.faults.split(',').map((name) => {
    const found = FAULTS.find((fault) => fault === name);
    if (found === undefined) throw new Error(`--faults ${name}: known are ${FAULTS.join(', ')}`);
    return found;
  });
  return {
    faults,
    rates: values.rates.split(',').map((rate) => positive('rates', rate)),
    rounds: positive('rounds', values.rounds),
    gateways: positive('gateways', values.gateways),
    seconds: positive('seconds', values.seconds),
    results: values.results,
  };
}
