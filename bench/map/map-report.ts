/** What the map's benchmarks found, on the terminal, in Markdown and in JSON. */
import { render } from '../report.ts';
import type { GatewayMemory } from './gateway-memory.ts';
import type { Loaded } from './load-users.ts';
import type { LookupRow } from './lookups.ts';
import type { MapOptions } from './map-options.ts';
import type { Rebuilt } from './rebuild-users.ts';

const BYTES_A_USER_MAX = 40;
/** The row that the others are compared with. */
const PLAIN = 'plain ioredis GET';

/** So few users that what Redis and a gateway need without any is a good part of it. */
export function isQuick({ users }: MapOptions): boolean {
  return users < 1_000_000;
}

export interface MapRun {
  readonly startedAt: Date;
  readonly machine: string;
  readonly options: MapOptions;
  readonly loaded: Loaded;
  readonly rebuilt: readonly Rebuilt[];
  /** Rebuilds that there was no time for. */
  readonly leftOut: readonly number[];
  readonly lookups: readonly LookupRow[];
  /** In the map of the last rebuild. */
  readonly lookupUsers: number;
  readonly memory: readonly GatewayMemory[];
}

export function mapMarkdown(run: MapRun): string {
  const { startedAt, machine, options, loaded, lookupUsers } = run;
  return [
    '# The state map',
    '',
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine}.`,
    'Users are UUIDs, explicit members of a cohort with a place in its order; about 153 of them a bucket, as 10 million',
    'are in 65,536. Redis and Postgres are on this machine. The times are those of this machine; what can be compared',
    'are the ratios.',
    ...(isQuick(options) ? ['', '**A quick run: not to be quoted.**'] : []),
    '',
    '## Memory in Redis, and how fast users come in',
    '',
    'Keys, marks of the buckets and membership included. `written directly`: encoded and written without a record to',
    'read them from, the most that there could be. `rebuilt`: by a gateway that starts on an empty Redis, from the record in',
    'Postgres; first a part of them, in the buckets of all.',
    '',
    ...render([
      ['', 'users', 'bytes a user', 'target', 'packed', 'seconds', 'users/s', 'CPU of it s', 'of Redis s'],
      [
        'written directly',
        ...filled(loaded, options),
        loaded.seconds.toFixed(1),
        perSecond(loaded),
        loaded.cpuSeconds.toFixed(1),
        '',
      ],
      ...run.rebuilt.map((each) => [
        'rebuilt',
        ...filled(each, options),
        each.seconds.toFixed(1),
        perSecond(each),
        each.cpuSeconds.toFixed(1),
        each.redisCpuSeconds.toFixed(1),
      ]),
    ]),
    ...run.leftOut.map(
      (users) => `\nA rebuild of ${users} users was left out: --minutes ${options.minutes}.`,
    ),
    '',
    '## A lookup',
    '',
    `In a map of ${lookupUsers} users; median of ${options.rounds} rounds, the kinds in turn; 32 under way at a time, which`,
    'share writes to Redis, and some alone, p50 / p99.',
    '',
    ...lookupTable(run.lookups),
    '',
    '## Memory of a gateway',
    '',
    'The program as it runs, one worker, sent a read of each user. What a cached user takes is counted beyond the first row.',
    '',
    ...render([
      ['userCacheMax', 'cached', 'resident MB', 'peak MB', 'bytes a cached user'],
      ...run.memory.map((each) => [
        `${each.userCacheMax}`,
        `${each.cachedUsers}`,
        megabytes(each.residentBytes),
        megabytes(each.peakBytes),
        each.bytesAUser?.toFixed(0) ?? '',
      ]),
    ]),
    '',
  ].join('\n');
}

function filled(
  { users, bytesAUser, packed }: Pick<Loaded, 'users' | 'bytesAUser' | 'packed'>,
  options: MapOptions,
): string[] {
  // A part of the users has the buckets of all of them, which are then nearly empty.
  const isAll = users === options.users;
  return [
    `${users}`,
    bytesAUser.toFixed(1),
    isAll ? `at most ${BYTES_A_USER_MAX}: ${bytesAUser <= BYTES_A_USER_MAX ? 'met' : 'NOT MET'}` : '',
    `${(packed * 100).toFixed(0)} %`,
  ];
}

function perSecond({ users, seconds }: { readonly users: number; readonly seconds: number }): string {
  return `${Math.round(users / seconds)}`;
}

function lookupTable(rows: readonly LookupRow[]): string[] {
  const plain = rows.find(({ name }) => name === PLAIN);
  return render([
    ['lookup', 'CPU µs', 'to GET', 'CPU of Redis µs', 'time µs', 'to GET', 'alone µs', 'to GET'],
    ...rows.map((row) => [
      row.name,
      row.cpuUs.toFixed(2),
      ratio(row.cpuUs, plain?.cpuUs),
      row.redisCpuUs.toFixed(2),
      row.eachUs.toFixed(2),
      ratio(row.eachUs, plain?.eachUs),
      `${row.alone.p50.toFixed(1)} / ${row.alone.p99.toFixed(1)}`,
      ratio(row.alone.p50, plain?.alone.p50),
    ]),
  ]);
}

function ratio(value: number, to: number | undefined): string {
  return to === undefined ? '' : (value / to).toFixed(2);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
