import { parseArgs } from 'node:util';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export interface Options {
  readonly rounds: number;
  /** About how long the floor is loaded in one round; every peer then answers as many requests. */
  readonly seconds: number;
  readonly connections: number;
  /** Empty: all. */
  readonly peers: readonly string[];
  readonly scenarios: readonly Scenario[];
  readonly load: 'auto' | 'wrk' | 'node';
  /** Where CPU profiles go, of one more round that is not counted. */
  readonly profile: string | undefined;
  readonly quick: boolean;
}

export const USAGE = `npm run bench -- [options]            the data path, every peer side by side
npm run bench -- micro [name …]      the micro-benchmarks

  --rounds N        repetitions; the median of them is quoted (default 7)
  --seconds N       how long the floor is loaded in one round; every peer answers as many requests (default 4)
  --connections N   keep-alive connections (default 32)
  --only a,b        peers and scenarios to run; the floor always runs
  --load NAME       wrk or node; without it wrk where it is installed
  --profile DIR     after the rounds, one more that writes a .cpuprofile for each peer in Node
  --quick           2 rounds of 1 second: to see that it works, not to be quoted
  --help`;

/** @throws Error in words for the person at the terminal */
export function parseOptions(args: readonly string[], peerNames: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      only: { type: 'string' },
      load: { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean' },
    },
  });
  const quick = values.quick === true;
  const only = (values.only ?? '').split(',').filter((name) => name !== '');
  const known = [...peerNames, ...SCENARIOS.map(({ name }) => name)];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: known are ${known.join(', ')}`);
  const scenarios = SCENARIOS.filter(({ name }) => only.includes(name));
  const load = values.load ?? 'auto';
  if (load !== 'auto' && load !== 'wrk' && load !== 'node') throw new Error('--load is wrk or node');
  return {
    rounds: positive('rounds', values.rounds, quick ? 2 : 7),
    seconds: positive('seconds', values.seconds, quick ? 1 : 4),
    connections: positive('connections', values.connections, 32),
    peers: only.filter((name) => peerNames.includes(name)),
    scenarios: scenarios.length > 0 ? scenarios : SCENARIOS,
    load,
    profile: values.profile,
    quick,
  };
}

function positive(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number > 0) || (name !== 'seconds' && !Number.isInteger(number))) {
    throw new Error(`--${name} ${value}: a positive number is needed`);
  }
  return number;
}
