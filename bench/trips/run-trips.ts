/** `npm run bench -- trips`: how long a failing `new` has users, by how it fails and how much it is asked. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/fixtures/server-process.ts';
import { benchCommand, type Report } from '../bench-command.ts';
import { gatewayYaml } from '../configuration.ts';
import { USER_HEADER } from '../flips/load.ts';
import { Processes } from '../processes.ts';
import { runInFolder } from '../run-in-folder.ts';
import { startEmptyRedis, startPostgres } from '../stores.ts';
import { type Fault, type FaultMessage, parseTripLoad, type TripLoadSettings } from './faults.ts';
import { parseTripOptions, TRIPS_USAGE, type TripOptions } from './trip-options.ts';
import { type TripRun, type TripSample, tripMarkdown } from './trip-report.ts';

const EXTENSION = extname(import.meta.filename);
const sibling = (name: string): string => fileURLToPath(new URL(`${name}${EXTENSION}`, import.meta.url));
const BACKENDS = sibling('./backends-process');
const LOAD = sibling('./load-process');
const COHORT = 'movers';
const RAMP = '80%';
/** So that the windows have something of the time before. */
const WARM_UP_MS = 5_000;
/** At the end of the warm-up. */
const BUSY_MS = 3_000;
const AFTERWARDS_MS = 2_000;
const POLL_MS = 50;
const READERS = 1_000;
const WRITERS = 50;

/** @returns the exit code */
export function runTrips(args: readonly string[]): Promise<number> {
  const report = (run: TripRun, options: TripOptions): Report => ({
    name: 'trips',
    startedAt: run.startedAt,
    markdown: tripMarkdown(run),
    json: run,
    folder: options.results,
  });
  return benchCommand({ usage: TRIPS_USAGE, parse: parseTripOptions, measure: trips, report }, args);
}

interface World {
  readonly processes: Processes;
  readonly backends: ChildProcess;
  readonly ports: readonly number[];
  readonly adminPort: number;
}

/** Measures, and leaves nothing behind. @param tell is given a line for each run */
export async function trips(options: TripOptions, tell: (line: string) => void): Promise<TripRun> {
  const startedAt = new Date();
  const samples: TripSample[] = [];
  await runInFolder(async ({ directory, stopping }) => {
    const processes = new Processes({ inspect: false });
    stopping(processes);
    try {
      const world = await open(processes, directory, options);
      for (let round = 1; round <= options.rounds; round += 1) {
        for (const rate of options.rates) {
          for (const fault of options.faults) {
            const sample = await measure(world, fault, rate, options);
            samples.push(sample);
            const { inForceMs, condition, load } = sample;
            const after = inForceMs === undefined ? 'not in time' : `${inForceMs} ms by ${condition}`;
            tell(`round ${round}, ${fault} at ${rate}/s: ${after}, ${load.failedReads} failed reads`);
          }
        }
      }
    } finally {
      await processes.stopAll();
    }
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  return { startedAt, machine, options, samples };
}

async function open(processes: Processes, directory: string, options: TripOptions): Promise<World> {
  const redisPort = await startEmptyRedis(processes, directory, 'any');
  const postgresUrl = await startPostgres(processes, { core: 'any', settings: [] });
  if (redisPort === undefined || postgresUrl === undefined) {
    throw new Error('trips need Redis and Postgres: apt-get install redis-server postgresql');
  }
  const { child, ports: backends } = await processes.startNode(BACKENDS, [], { core: 'any' });
  const stores = { backends, redisPort, postgresUrl, userHeader: USER_HEADER };
  const cohorts = [`{ name: ${COHORT}, default: true, stage: shadow }`];
  const ports: number[] = [];
  const adminPorts: number[] = [];
  for (let count = 0; count < options.gateways; count += 1) {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = join(directory, `gateway-${count}.yaml`);
    const yaml = gatewayYaml({ ...stores, port, adminPort, cohorts });
    writeFileSync(
      file,
      `${yaml}guard:\n  conditions: [{ name: slower-than-legacy, metric: p50LatencyMs, overLegacy: 2 }]\n`,
    );
    await processes.untilListening(port, processes.startTurnout(file, 'any'));
    ports.push(port);
    adminPorts.push(adminPort);
  }
  return { processes, backends: child, ports, adminPort: adminPorts[0] ?? 0 };
}

async function measure(
  world: World,
  fault: Fault,
  rate: number,
  { seconds }: TripOptions,
): Promise<TripSample> {
  const { processes, ports } = world;
  await toLive(world);
  const writersName = `w${Date.now()}-`;
  const settings: TripLoadSettings = { ports, rate, readers: READERS, writers: WRITERS, writersName };
  const load = await processes.startNode(LOAD, [JSON.stringify(settings)], { core: 'any' });
  await delay(WARM_UP_MS - BUSY_MS);
  const busyBefore = await busyFor(BUSY_MS);
  const brokenAt = await put(world.backends, fault);
  const trip = await untilTripped(world, brokenAt, seconds * 1_000);
  await delay(AFTERWARDS_MS);
  const told = once(load.child, 'message');
  load.child.send('stop');
  // A hanging backend owes answers to writes; they come when it is well again.
  await put(world.backends, null);
  const [result] = await told;
  const since = (at: string | null | undefined): number | undefined =>
    typeof at === 'string' ? Date.parse(at) - brokenAt : undefined;
  return {
    fault,
    rate,
    trippedMs: since(trip?.trippedAt),
    inForceMs: since(trip?.inForceAt),
    condition: trip?.condition.name,
    busyBefore,
    why: trip?.sentences ?? [],
    load: parseTripLoad(String(result)),
  };
}

/** @returns how much of the cores is in use, 0 to 1 */
async function busyFor(ms: number): Promise<number> {
  const before = coreTimes();
  await delay(ms);
  const after = coreTimes();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

function coreTimes(): { readonly idle: number; readonly all: number } {
  let [idle, all] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, all };
}

/** @returns when it was in force, milliseconds of the clock that all on this machine have */
async function put(backends: ChildProcess, fault: Fault | null): Promise<number> {
  const done = once(backends, 'message');
  const message: FaultMessage = { fault };
  const beforeMs = Date.now();
  backends.send(message);
  await done;
  return beforeMs;
}

interface TripForm {
  readonly condition: { readonly name: string };
  readonly trippedAt: string;
  readonly inForceAt: string | null;
  readonly sentences: readonly string[];
}

async function untilTripped(world: World, sinceMs: number, forMs: number): Promise<TripForm | undefined> {
  while (Date.now() - sinceMs < forMs) {
    const page: { items: readonly TripForm[] } = await ask(
      world,
      'GET',
      `/guard/trips?limit=1&cohort=${COHORT}`,
    );
    const [latest] = page.items;
    if (latest !== undefined && Date.parse(latest.trippedAt) >= sinceMs && latest.inForceAt !== null)
      return latest;
    await delay(POLL_MS);
  }
  return undefined;
}

/** Everybody is where the run before has left them; users whom it kept in `new` are let go. */
async function toLive(world: World): Promise<void> {
  const reason = 'a measurement';
  const cohort: { stage: string } = await ask(world, 'GET', `/cohorts/${COHORT}`);
  await ask(world, 'POST', `/cohorts/${COHORT}/ramp`, { action: 'clear', reason }).catch(() => undefined);
  if (cohort.stage === 'live')
    await ask(world, 'POST', `/cohorts/${COHORT}/rollback`, { reason, dirtyUsers: 'keep' });
  await ask(world, 'POST', `/cohorts/${COHORT}/stage`, { stage: 'live', ramp: RAMP, reason });
}

async function ask<T>({ adminPort }: World, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
