/**
 * The gateway itself, as it would run: the compiled program with a configuration, one worker, metrics on, the
 * user from a header, its cohort from a map of 100,000 users in Redis over a record in Postgres.
 */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Cohort } from '../../src/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { freePort } from '../../test/fixtures/server-process.ts';
import { gatewayYaml } from '../configuration.ts';
import { USER_HEADER, USERS } from '../scenarios.ts';
import { BACKEND_CONNECTIONS, type Peer, type RunningPeer, type Surroundings } from './peer.ts';
import { REDIS_HINT } from './redis-hint.ts';

const POSTGRES_HINT = 'apt-get install postgresql';
const USERS_A_BATCH = 1_000;

/** As it comes: its cache has room for all these users, and they are in it before it is measured. */
export const gateway: Peer = gatewayPeer({ name: 'gateway', title: 'Turnout as it comes' });

/** The other end: hardly any user is cached, so nearly each request waits for a read of Redis. */
export const gatewayCold: Peer = gatewayPeer({
  name: 'gateway-cold',
  title: 'Turnout with a cache for 1 % of the users',
  userCacheMax: USERS / 100,
});

interface Variant {
  readonly name: string;
  readonly title: string;
  /** `undefined`: the default. */
  readonly userCacheMax?: number;
}

function gatewayPeer(variant: Variant): Peer {
  return {
    name: variant.name,
    title: variant.title,
    visitEveryUser: true,
    missing: ({ redisPort, postgresUrl }) => {
      if (redisPort === undefined) return REDIS_HINT;
      return postgresUrl === undefined ? POSTGRES_HINT : undefined;
    },
    version: () => `turnout ${version()}`,
    start: async (surroundings) => {
      await fillMap(surroundings);
      return start(variant, surroundings);
    },
  };
}

/**
 * Writes the users into the record, and lets a gateway of its own build the map in Redis from it: the one that
 * is measured starts as any gateway beside others does, and its memory is not that of a rebuild.
 */
async function fillMap(surroundings: Surroundings): Promise<void> {
  if (filled.has(surroundings)) return;
  filled.add(surroundings);
  await fillRecord(surroundings.postgresUrl ?? '');
  const { started } = await start({ name: 'builder', title: '' }, surroundings);
  await surroundings.processes.stop(started);
}

const filled = new WeakSet<Surroundings>();

/** Half of the users are in a cohort that is live on `new`, the others in one that is off. */
async function fillRecord(url: string): Promise<void> {
  const log = pino({ level: 'silent' });
  const record = await createRecord({ kind: 'postgres', url, poolMax: 4, statementMs: 10_000 }, log);
  try {
    const map = await record.createMap();
    await record.seedCohorts([cohort('moved', 'live'), cohort('waiting', 'off')]);
    for (let first = 1; first <= USERS; first += USERS_A_BATCH) {
      const placements = Array.from({ length: USERS_A_BATCH }, (_, i) => ({
        user: `u${first + i}`,
        cohort: i % 2 === 0 ? 'moved' : 'waiting',
        version: 0,
        epoch: 0,
      }));
      await record.placeUsers(map.id, placements);
    }
  } finally {
    await record.close();
  }
}

function cohort(name: string, stage: Cohort['stage']): Cohort {
  return {
    name,
    stage,
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
  };
}

async function start({ name, userCacheMax }: Variant, surroundings: Surroundings): Promise<RunningPeer> {
  const { processes, directory } = surroundings;
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(directory, `${name}.yaml`);
  writeFileSync(file, configuration(surroundings, port, adminPort, userCacheMax));
  const started = processes.startTurnout(file, 'proxy');
  await processes.untilListening(port, started);
  return { started, port, note: () => cacheNote(adminPort) };
}

/** How often the cache knew the user, over the whole run. */
async function cacheNote(adminPort: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const metrics = await answer.text();
  const value = (name: string): number =>
    Number(new RegExp(`^turnout_user_cache_${name}_total(?:{[^}]*})? (\\S+)$`, 'm').exec(metrics)?.[1]);
  const [hits, misses] = [value('hits'), value('misses')];
  return `${((100 * hits) / (hits + misses)).toFixed(1)} % of the users were found in the worker's cache`;
}

function configuration(
  { backends, redisPort, postgresUrl }: Surroundings,
  port: number,
  adminPort: number,
  userCacheMax: number | undefined,
): string {
  return gatewayYaml({
    port,
    adminPort,
    backends: [backends.legacy, backends.new],
    redisPort: redisPort ?? 0,
    postgresUrl: postgresUrl ?? '',
    userHeader: USER_HEADER,
    state: userCacheMax === undefined ? [] : [`userCacheMax: ${userCacheMax}`],
    backend: [`connectionsMax: ${BACKEND_CONNECTIONS}`],
    cohorts: ['{ name: moved, stage: live }', '{ name: waiting, stage: off }'],
    routes: ['{ match: "/static/*", backend: legacy }', '{ match: "/bytes/*" }', '{ match: "/*" }'],
  });
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../../package.json');
  const isNamed = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isNamed ? String(manifest.version) : 'unknown';
}
