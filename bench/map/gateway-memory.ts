/** What a gateway keeps resident with a full cache of users: the program as it runs, sent a read of each of them. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/fixtures/server-process.ts';
import { memory } from '../process-account.ts';
import type { Processes } from '../processes.ts';
import type { Visits } from './visit-worker.ts';
import type { MapWorld } from './world.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const ORIGIN = fileURLToPath(new URL(`../flips/origin${ENDING}`, import.meta.url));
const VISITOR = fileURLToPath(new URL(`./visit-worker${ENDING}`, import.meta.url));
const CONNECTIONS = 32;
/** The cache of the gateway that the others are compared with: what it needs, every gateway needs. */
const SMALLEST_CACHE = 1_000;
/** It is sent so many users all the same, so that it has worked as others have. */
const VISITS_MIN = 100_000;
const QUIET_MS = 500;

export interface GatewayMemory {
  readonly userCacheMax: number;
  readonly cachedUsers: number;
  readonly seconds: number;
  /** After the visits and a moment of quiet. */
  readonly residentBytes: number;
  readonly peakBytes: number;
  /** Beyond a gateway with hardly any cache; `undefined` for that one. */
  readonly bytesAUser: number | undefined;
}

/**
 * The first is one with hardly any cache.
 *
 * @param users how many the map has
 * @param caches their `userCacheMax`; `undefined`: the default
 */
export async function measureGatewayMemory(
  world: MapWorld,
  users: number,
  caches: readonly (number | undefined)[],
  tell: (line: string) => void,
): Promise<GatewayMemory[]> {
  const measured: GatewayMemory[] = [];
  for (const cache of [SMALLEST_CACHE, ...caches]) {
    const one = await measureOne(world, users, cache);
    const smallest = measured[0];
    const bytesAUser =
      smallest === undefined
        ? undefined
        : (one.residentBytes - smallest.residentBytes) / (one.cachedUsers - smallest.cachedUsers);
    measured.push({ ...one, bytesAUser });
    tell(`a gateway with ${one.cachedUsers} cached users: ${(one.residentBytes / 1e6).toFixed(0)} MB`);
  }
  return measured;
}

async function measureOne(
  world: MapWorld,
  users: number,
  userCacheMax: number | undefined,
): Promise<Omit<GatewayMemory, 'bytesAUser'>> {
  const { processes } = world;
  const origin = await processes.startNode(ORIGIN, [], { core: 'rest' });
  const [port, adminPort] = [await freePort(), await freePort()];
  const settings = { port, adminPort, backends: origin.ports, userCacheMax };
  const started = processes.startTurnout(world.configFile(settings), 'proxy');
  try {
    await processes.untilListening(port, started);
    const max = world.config(settings).state.userCacheMax;
    const visits: Visits = {
      port,
      users: Math.min(users, Math.max(max, VISITS_MIN)),
      connections: CONNECTIONS,
    };
    const seconds = await visit(processes, visits);
    await delay(QUIET_MS);
    const { residentBytes, peakBytes } = memory(started.pid);
    return { userCacheMax: max, cachedUsers: await cached(adminPort), seconds, residentBytes, peakBytes };
  } finally {
    await processes.stop(started);
    await processes.stop(origin);
  }
}

/** @returns how long it took, seconds */
async function visit(processes: Processes, visits: Visits): Promise<number> {
  const { child } = await processes.startNode(VISITOR, [JSON.stringify(visits)], { core: 'rest' });
  const beganMs = performance.now();
  let failed = 'all';
  child.on('message', (message) => {
    if (typeof message === 'string') failed = message;
  });
  await once(child, 'exit');
  if (failed !== '0') throw new Error(`${failed} of ${visits.users} visits failed`);
  return (performance.now() - beganMs) / 1_000;
}

async function cached(adminPort: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/status`);
  const users = /"cachedUsers":\s*(\d+)/.exec(await answer.text())?.[1];
  if (users === undefined) throw new Error('the gateway does not say how many users it caches');
  return Number(users);
}
