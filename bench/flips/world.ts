/** The processes that flips are measured with: stores, two backends, and gateways as they would run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/load-config.ts';
import type { ConfigModel } from '../../src/config/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { freePort } from '../../test/fixtures/server-process.ts';
import { gatewayYaml } from '../configuration.ts';
import type { Processes, Started } from '../processes.ts';
import { startEmptyRedis, startPostgres } from '../stores.ts';
import { USER_HEADER } from './load.ts';
import { openTimedControl, type TimedControl } from './timed-control.ts';

/** `.ts` when this runs as it is written, `.js` when it was compiled. */
export const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const ORIGIN = fileURLToPath(new URL(`./origin${ENDING}`, import.meta.url));
const USERS_A_BATCH = 500;
const LIVE_MS_MAX = 60_000;

export const COHORT = 'movers';
const log = pino({ level: 'silent' });

export interface FlipWorld {
  readonly ports: readonly number[];
  readonly control: TimedControl;
}

/**
 * @param directory of this world alone
 * @throws Error when a server is not installed, or a gateway does not come up
 */
export async function openFlipWorld(
  processes: Processes,
  directory: string,
  gateways: number,
  users: number,
): Promise<FlipWorld> {
  mkdirSync(directory, { recursive: true });
  const redisPort = await startEmptyRedis(processes, directory, 'any');
  // As it comes: each commit of a flip waits for the disk.
  const postgresUrl = await startPostgres(processes, { core: 'any', settings: [] });
  if (redisPort === undefined || postgresUrl === undefined) {
    throw new Error('flips need Redis and Postgres: apt-get install redis-server postgresql');
  }
  const { ports: backends } = await processes.startNode(ORIGIN, [], { core: 'any' });
  const cohorts = [`{ name: ${COHORT}, stage: shadow }`];
  const stores = { backends, redisPort, postgresUrl, userHeader: USER_HEADER, cohorts };
  const ports: number[] = [];
  const start = async (): Promise<Started> => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = join(directory, `gateway-${port}.yaml`);
    writeFileSync(file, gatewayYaml({ ...stores, port, adminPort }));
    const started = processes.startTurnout(file, 'any');
    await processes.untilListening(port, started);
    ports.push(port);
    return started;
  };
  const configFile = join(directory, 'control.yaml');
  writeFileSync(configFile, gatewayYaml({ ...stores, port: 1, adminPort: 2 }));
  const config = loadConfig(configFile, {});
  await fillRecord(config, users);
  // The first one builds the map.
  await start();
  for (let count = 1; count < gateways; count += 1) await start();
  const control = await openTimedControl(config, log);
  processes.onStop(() => control.close());
  await untilLive(control, gateways);
  return { ports, control };
}

/** Every user has a membership, as users have who were placed before. */
async function fillRecord(config: ConfigModel, users: number): Promise<void> {
  const record = await createRecord(config.record, log);
  try {
    const map = await record.createMap();
    await record.seedCohorts(config.cohorts);
    for (let first = 1; first <= users; first += USERS_A_BATCH) {
      const count = Math.min(USERS_A_BATCH, users - first + 1);
      const placements = Array.from({ length: count }, (_, index) => ({
        user: `u${first + index}`,
        cohort: COHORT,
        version: 0,
        epoch: 0,
      }));
      await record.placeUsers(map.id, placements);
    }
  } finally {
    await record.close();
  }
}

async function untilLive({ control }: TimedControl, count: number): Promise<void> {
  const deadlineMs = performance.now() + LIVE_MS_MAX;
  for (;;) {
    const live = (await control.gateways()).filter(({ verdict }) => verdict === 'live').length;
    if (live === count) return;
    if (performance.now() > deadlineMs) throw new Error(`${live} of ${count} gateways are live`);
    await delay(50);
  }
}
