/** Stores and configuration of the map's benchmarks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/load-config.ts';
import type { ConfigModel } from '../../src/config/model.ts';
import type { RedisModel } from '../../src/state/redis-client.ts';
import { gatewayYaml } from '../configuration.ts';
import type { Processes } from '../processes.ts';
import { startEmptyRedis, startPostgres } from '../stores.ts';
import { COHORT } from './users.ts';

const DENSE_USERS = 10_000_000;
const DENSE_BUCKETS = 65_536;

export const USER_HEADER = 'x-user-id';

export interface MapWorld {
  readonly processes: Processes;
  readonly directory: string;
  readonly redis: Redis;
  readonly postgresUrl: string;
  readonly buckets: number;
  /** The configuration of a process on these stores. */
  readonly config: (settings?: ProcessSettings) => ConfigModel & { readonly state: RedisModel };
  /** The same as a file; its path. */
  readonly configFile: (settings: ProcessSettings) => string;
}

export interface ProcessSettings {
  readonly port?: number;
  readonly adminPort?: number;
  readonly backends?: readonly number[];
  /** `undefined`: the default. */
  readonly userCacheMax?: number | undefined;
}

/** @throws Error when a server is not installed */
export async function openMapWorld(
  processes: Processes,
  directory: string,
  users: number,
): Promise<MapWorld> {
  const redisPort = await startEmptyRedis(processes, directory, 'any');
  // Postgres is filled at once with what took months to come together; what is measured only reads it.
  const settings = ['fsync=off', 'full_page_writes=off', 'max_wal_size=8GB', 'shared_buffers=1GB'];
  const postgresUrl = await startPostgres(processes, { core: 'any', settings });
  if (redisPort === undefined || postgresUrl === undefined) {
    throw new Error('the map needs Redis and Postgres: apt-get install redis-server postgresql');
  }
  const redis = new Redis(redisPort, '127.0.0.1', { enableAutoPipelining: true });
  processes.onStop(async () => redis.disconnect());
  const buckets = Math.max(1, Math.round((DENSE_BUCKETS * users) / DENSE_USERS));
  const configFile = (given: ProcessSettings): string => {
    const file = join(directory, `map-${given.port ?? 0}-${given.userCacheMax ?? 'default'}.yaml`);
    const { port = 1, adminPort = 2, backends = [3, 4], userCacheMax } = given;
    const state = [`userBuckets: ${buckets}`];
    if (userCacheMax !== undefined) state.push(`userCacheMax: ${userCacheMax}`);
    const cohorts = [`{ name: ${COHORT}, stage: live }`];
    const stores = { redisPort, postgresUrl, state };
    writeFileSync(
      file,
      gatewayYaml({ ...stores, port, adminPort, backends, userHeader: USER_HEADER, cohorts }),
    );
    return file;
  };
  return {
    processes,
    directory,
    redis,
    postgresUrl,
    buckets,
    configFile,
    config: (given = {}) => {
      const config = loadConfig(configFile(given), {});
      const { state } = config;
      if (state.kind !== 'redis') throw new Error('the map is measured on Redis');
      return { ...config, state };
    },
  };
}
