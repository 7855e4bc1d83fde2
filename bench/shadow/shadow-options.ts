import { parseArgs } from 'node:util';
import { positive } from '../flips/flip-options.ts';

export interface ShadowOptions {
  /** Each case once, in turn; the median of the rounds is quoted. */
  readonly rounds: number;
  /** Of load, for each case and round. */
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

export const SHADOW_USAGE = `npm run bench -- shadow [options]    what users pay for shadow reads, by what the secondary is

  --rounds N        rounds of all cases (default 7)
  --seconds N       load of each case in each round (default 10)
  --rate N          requests a second (default 200)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseShadowOptions(args: readonly string[]): ShadowOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '7' },
      seconds: { type: 'string', default: '10' },
      rate: { type: 'string', default: '200' },
      results: { type: 'string' },
    },
  });
  return {
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    rate: positive('rate', values.rate),
    results: values.results,
  };
}
