import { parseArgs } from 'node:util';
import { positive } from '../flips/flip-options.ts';

export interface MapOptions {
  readonly users: number;
  /** Users that one lookup of each kind is made for in a round. */
  readonly lookups: number;
  readonly rounds: number;
  /** `state.userCacheMax` of the gateways whose memory is measured; `undefined`: the default. */
  readonly caches: readonly (number | undefined)[];
  /** A rebuild that would not end before this many minutes are over is left out. */
  readonly minutes: number;
  /** Where the report goes; `undefined`: bench/results. */
  readonly results: string | undefined;
}

/** Users of the first rebuild; a larger map is then rebuilt whole, if there is time. */
export const FIRST_REBUILD_USERS = 1_000_000;

export const MAP_USAGE = `npm run bench -- map [options]       what the state map takes: memory, lookups, loading, rebuilding

  --users N         users in the map, as dense as 10 million are in 65,536 buckets (default 10000000)
  --lookups N       lookups of each kind in a round (default 50000)
  --rounds N        of lookups, the kinds in turn; the median is quoted (default 7)
  --caches A,B      userCacheMax of the gateways whose memory is measured (default default,1000000)
  --minutes N       a rebuild of more than ${FIRST_REBUILD_USERS} users that would take longer is left out (default 10)
  --results DIR     where the report goes (default bench/results)`;

/** @throws Error in words for the person at the terminal */
export function parseMapOptions(args: readonly string[]): MapOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      users: { type: 'string', default: '10000000' },
      lookups: { type: 'string', default: '50000' },
      rounds: { type: 'string', default: '7' },
      caches: { type: 'string', default: 'default,1000000' },
      minutes: { type: 'string', default: '10' },
      results: { type: 'string' },
    },
  });
  return {
    users: positive('users', values.users),
    lookups: positive('lookups', values.lookups),
    rounds: positive('rounds', values.rounds),
    caches: values.caches
      .split(',')
      .map((size) => (size === 'default' ? undefined : positive('caches', size))),
    minutes: positive('minutes', values.minutes),
    results: values.results,
  };
}
