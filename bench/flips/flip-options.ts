import { parseArgs } from 'node:util';

export interface FlipOptions {
  /** One run for each: how many gateways, each a process of its own. */
  readonly gateways: readonly number[];
  /** Changes that are measured in each run. */
  readonly flips: number;
  /** Requests a second over all gateways, half of them writes. */
  readonly rate: number;
  readonly users: number;
  /** Between two flips. */
  readonly pauseMs: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

export const FLIP_USAGE = `npm run bench -- flips [options]     how long a flip takes, and what held writes wait

  --gateways A,B    numbers of gateways, each a process (default 1,3,10)
  --flips N         changes measured for each of them (default 100)
  --rate N          requests a second over all gateways, half of them writes (default 400)
  --users N         users in the cohort (default 1000)
  --pause-ms N      between two flips (default 150)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseFlipOptions(args: readonly string[]): FlipOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gateways: { type: 'string', default: '1,3,10' },
      flips: { type: 'string', default: '100' },
      rate: { type: 'string', default: '400' },
      users: { type: 'string', default: '1000' },
      'pause-ms': { type: 'string', default: '150' },
      results: { type: 'string' },
    },
  });
  return {
    gateways: values.gateways.split(',').map((count) => positive('gateways', count)),
    flips: positive('flips', values.flips),
    rate: positive('rate', values.rate),
    users: positive('users', values.users),
    pauseMs: positive('pause-ms', values['pause-ms']),
    results: values.results,
  };
}

/** @throws Error in words for the person at the terminal */
export function positive(name: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`--${name} ${value}: a positive whole number is needed`);
  }
  return number;
}
