/** `npm run bench -- map`: what the state map takes, in Redis and in a gateway, and how long it takes to build. */
import { cpus } from 'node:os';
import { pino } from 'pino';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { benchCommand, type Report } from '../bench-command.ts';
import { Processes } from '../processes.ts';
import { runInFolder } from '../run-in-folder.ts';
import { measureGatewayMemory } from './gateway-memory.ts';
import { loadUsers } from './load-users.ts';
import { measureLookups } from './lookups.ts';
import { FIRST_REBUILD_USERS, MAP_USAGE, type MapOptions, parseMapOptions } from './map-options.ts';
import { isQuick, type MapRun, mapMarkdown } from './map-report.ts';
import { fillRecord, type Rebuilt, rebuildUsers } from './rebuild-users.ts';
import { type MapWorld, openMapWorld } from './world.ts';

type Tell = (line: string) => void;

/** @returns the exit code */
export function runMap(args: readonly string[]): Promise<number> {
  const report = (run: MapRun, options: MapOptions): Report => ({
    name: isQuick(options) ? 'map-quick' : 'map',
    startedAt: run.startedAt,
    markdown: mapMarkdown(run),
    json: run,
    folder: options.results,
  });
  return benchCommand({ usage: MAP_USAGE, parse: parseMapOptions, measure: map, report }, args);
}

/** Measures, and leaves nothing behind. @param tell is given a line for each step */
export function map(options: MapOptions, tell: Tell): Promise<MapRun> {
  return runInFolder(async ({ directory, stopping }) => {
    const processes = new Processes({ inspect: false });
    stopping(processes);
    try {
      return await measureMap(await openMapWorld(processes, directory, options.users), options, tell);
    } finally {
      await processes.stopAll();
    }
  });
}

async function measureMap(world: MapWorld, options: MapOptions, tell: Tell): Promise<MapRun> {
  const startedAt = new Date();
  const { users } = options;
  const loaded = await loadUsers(world, users);
  tell(
    `${users} users written directly in ${loaded.seconds.toFixed(1)} s, ${loaded.bytesAUser.toFixed(1)} bytes each`,
  );
  const record = await createRecord(world.config().record, pino({ level: 'silent' }));
  try {
    const { rebuilt, leftOut } = await rebuild(world, record, options, tell);
    const lookupUsers = rebuilt.at(-1)?.users ?? 0;
    const lookups = await measureLookups(world, record, { ...options, users: lookupUsers });
    tell('lookups measured');
    const memory = await measureGatewayMemory(world, lookupUsers, options.caches, tell);
    const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
    return { startedAt, machine, options, loaded, rebuilt, leftOut, lookups, lookupUsers, memory };
  } finally {
    await record.close();
  }
}

/** A part of the users first; all of them, if filling the record and rebuilding would end in time by what that took. */
async function rebuild(
  world: MapWorld,
  record: RecordStore,
  { users, minutes }: MapOptions,
  tell: Tell,
): Promise<{ rebuilt: readonly Rebuilt[]; leftOut: readonly number[] }> {
  const rebuilt: Rebuilt[] = [];
  const beganMs = performance.now();
  const secondsSoFar = (): number => (performance.now() - beganMs) / 1_000;
  let inRecord = 0;
  for (const count of new Set([Math.min(users, FIRST_REBUILD_USERS), users])) {
    const secondsAUser = inRecord === 0 ? 0 : secondsSoFar() / inRecord;
    if (secondsSoFar() + secondsAUser * count > minutes * 60) return { rebuilt, leftOut: [count] };
    await fillRecord(world, record, inRecord, count);
    tell(`${count} users in the record after ${secondsSoFar().toFixed(0)} s`);
    inRecord = count;
    const one = await rebuildUsers(world, record, count);
    rebuilt.push(one);
    tell(`${count} users rebuilt in ${one.seconds.toFixed(1)} s, ${one.bytesAUser.toFixed(1)} bytes each`);
  }
  return { rebuilt, leftOut: [] };
}
