/**
 * `npm run bench`: what one request costs each proxy, side by side. The order of things: stores and origin, every
 * peer that can run here, the rounds, the report; and then everything stopped, also when something failed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FLIP_USAGE } from './flips/flip-options.ts';
import { runFlips } from './flips/run-flips.ts';
import { GUARD_SIMULATION_USAGE } from './guard/guard-simulation-options.ts';
import { runGuardSimulation } from './guard/run-guard-simulation.ts';
import type { LoadGenerator } from './load/load.ts';
import { createNodeLoad } from './load/node-load.ts';
import { createWrk, WRK_HINT, wrkInstalled } from './load/wrk.ts';
import { MAP_USAGE } from './map/map-options.ts';
import { runMap } from './map/run-map.ts';
import { type Contestant, measure, type Sample, visitEveryUser } from './measure.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { floor } from './peers/floor.ts';
import { gateway, gatewayCold } from './peers/gateway.ts';
import { haproxy } from './peers/haproxy.ts';
import { httpProxy, httpProxyRedis } from './peers/http-proxy.ts';
import { nginx, nginxLuaRedis } from './peers/nginx.ts';
import type { Peer, Surroundings } from './peers/peer.ts';
import { type Memory, memory, resetPeak } from './process-account.ts';
import { Processes } from './processes.ts';
import { markdown, type Run, writeReport } from './report.ts';
import { runMicro } from './run-micro.ts';
import { runShadow } from './shadow/run-shadow.ts';
import { SHADOW_USAGE } from './shadow/shadow-options.ts';
import { startPostgres, startRedis } from './stores.ts';
import { runTrips } from './trips/run-trips.ts';
import { TRIPS_USAGE } from './trips/trip-options.ts';

/** The floor is first: how much it answers is how much all are asked. */
const PEERS: readonly Peer[] = [
  floor,
  gateway,
  gatewayCold,
  httpProxy,
  httpProxyRedis,
  nginx,
  nginxLuaRedis,
  haproxy,
];
const ORIGIN = fileURLToPath(new URL('./origin.js', import.meta.url));

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(
      [USAGE, FLIP_USAGE, MAP_USAGE, SHADOW_USAGE, GUARD_SIMULATION_USAGE, TRIPS_USAGE].join('\n\n'),
    );
    return 0;
  }
  if (args[0] === 'micro') return runMicro(args.slice(1));
  if (args[0] === 'flips') return runFlips(args.slice(1));
  if (args[0] === 'map') return runMap(args.slice(1));
  if (args[0] === 'shadow') return runShadow(args.slice(1));
  if (args[0] === 'guard-simulation') return runGuardSimulation(args.slice(1));
  if (args[0] === 'trips') return runTrips(args.slice(1));
  let options: Options;
  try {
    options = parseOptions(
      args,
      PEERS.map(({ name }) => name),
    );
  } catch (problem) {
    console.error(`${problem instanceof Error ? problem.message : String(problem)}\n\n${USAGE}`);
    return 2;
  }
  if (process.platform !== 'linux') {
    console.error('The benchmark reads /proc, so it needs Linux.');
    return 2;
  }
  return benchmark(options);
}

async function benchmark(options: Options): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'turnout-bench-'));
  const processes = new Processes({ inspect: options.profile !== undefined });
  let cleaned: Promise<void> | undefined;
  const cleanUp = (): Promise<void> => {
    cleaned ??= processes.stopAll().then(() => rmSync(directory, { recursive: true, force: true }));
    return cleaned;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().then(() => process.exit(130)));
  }
  try {
    const run = await runAll(options, processes, directory);
    console.log(`\n${markdown(run)}`);
    // The compiled benchmark is two folders below the project, in build/bench.
    const folder = fileURLToPath(new URL('../../bench/results', import.meta.url));
    for (const file of writeReport(run, folder)) console.log(`written: ${file}`);
    return 0;
  } catch (problem) {
    console.error(problem instanceof Error ? problem.message : problem);
    return 1;
  } finally {
    await cleanUp();
  }
}

async function runAll(options: Options, processes: Processes, directory: string): Promise<Run> {
  const startedAt = new Date();
  const load = chooseLoad(options, processes, directory);
  const { ports } = await processes.startNode(ORIGIN, [], { core: 'rest' });
  const [legacy = 0, second = 0] = ports;
  const surroundings: Surroundings = {
    processes,
    directory,
    backends: { legacy, new: second },
    redisPort: await startRedis(processes, directory),
    postgresUrl: await startPostgres(processes),
  };

  const contestants: Contestant[] = [];
  const missing: { name: string; hint: string }[] = [];
  const chosen = PEERS.filter(
    ({ name }) => name === 'floor' || options.peers.length === 0 || options.peers.includes(name),
  );
  for (const peer of chosen) {
    const hint = peer.missing(surroundings);
    if (hint === undefined) {
      const { name, visitEveryUser: visits = false } = peer;
      contestants.push({ name, visitEveryUser: visits, ...(await peer.start(surroundings)) });
    } else {
      missing.push({ name: peer.name, hint });
      console.log(`left out: ${peer.name} (${hint})`);
    }
  }

  // With a write where writes are measured: the first one of a user costs a round trip of Redis, once.
  const first = options.scenarios.find(({ method }) => method === 'POST') ?? options.scenarios[0];
  if (first !== undefined) await visitEveryUser(first, contestants, load, options);
  for (const { started } of contestants) resetPeak(started.pid);
  const samples: Sample[] = [];
  for (const scenario of options.scenarios) {
    console.log(`${scenario.title}`);
    samples.push(...(await measure(scenario, contestants, load, options, printProgress)));
  }
  return {
    startedAt,
    options,
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux, Node ${process.version}`,
    load: load.name,
    pinned: processes.pinned,
    peers: chosen
      .filter(({ name }) => contestants.some((contestant) => contestant.name === name))
      .map((peer) => ({ name: peer.name, title: peer.title, version: peer.version() })),
    missing,
    scenarios: options.scenarios,
    samples,
    notes: await notesOf(contestants),
    memory: new Map(contestants.map(({ name, started }): [string, Memory] => [name, memory(started.pid)])),
  };
}

async function notesOf(contestants: readonly Contestant[]): Promise<Map<string, string>> {
  const notes = new Map<string, string>();
  for (const { name, note } of contestants) if (note !== undefined) notes.set(name, await note());
  return notes;
}

function chooseLoad(options: Options, processes: Processes, directory: string): LoadGenerator {
  const useWrk = options.load === 'wrk' || (options.load === 'auto' && wrkInstalled());
  if (!useWrk && options.load === 'auto') console.log(`load by Node: wrk is not installed (${WRK_HINT})`);
  return useWrk ? createWrk(processes, directory) : createNodeLoad(processes);
}

function printProgress({ peer, round, cpuUs, result }: Sample): void {
  const perSecond = Math.round((result.answers / result.durationMs) * 1000);
  console.log(
    `  round ${round}  ${peer.padEnd(18)} ${cpuUs.toFixed(1).padStart(7)} µs  ${perSecond} requests/s`,
  );
}
