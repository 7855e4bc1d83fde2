/**
 * `npm run bench -- shadow`: a gateway with shadow reads at 100 % and one without any have the same load at the same
 * time, for secondaries of all kinds. One after the other they would be compared by what else the machine does.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { freePort } from '../../test/fixtures/server-process.ts';
import { benchCommand, type Report } from '../bench-command.ts';
import { cpuUs, memory, resetPeak } from '../process-account.ts';
import { Processes, type Started } from '../processes.ts';
import { runInFolder } from '../run-in-folder.ts';
import { startPostgres } from '../stores.ts';
import {
  CASES,
  type Case,
  LISTENING,
  type PacedLoad,
  type PacedResult,
  parsePacedResults,
} from './shadow-cases.ts';
import { parseShadowOptions, SHADOW_USAGE, type ShadowOptions } from './shadow-options.ts';
import {
  type Measured,
  type ShadowRun,
  type ShadowSample,
  shadowMarkdown,
  shadowRows,
} from './shadow-report.ts';

const EXTENSION = extname(import.meta.filename);
const sibling = (name: string): string => fileURLToPath(new URL(`${name}${EXTENSION}`, import.meta.url));
const SECONDARY = sibling('./secondary-process');
const LOAD = sibling('./paced-load-process');
const WARM_UP_SECONDS = 2;

/** @returns the exit code */
export function runShadow(args: readonly string[]): Promise<number> {
  const report = (run: ShadowRun, options: ShadowOptions): Report => ({
    name: 'shadow',
    startedAt: run.startedAt,
    markdown: shadowMarkdown(run),
    json: { ...run, rows: shadowRows(run) },
    folder: options.results,
  });
  return benchCommand({ usage: SHADOW_USAGE, parse: parseShadowOptions, measure: shadow, report }, args);
}

interface Gateway {
  readonly started: Started;
  readonly port: number;
  readonly adminPort: number;
}

interface Contestant extends Gateway {
  readonly case: Case;
  /** One without shadow reads, which has served as much. */
  readonly base: Gateway;
}

/**
 * Measures, and leaves nothing behind.
 *
 * @param tell is given a line for each case and round
 * @throws Error where Postgres is not installed
 */
export async function shadow(options: ShadowOptions, tell: (line: string) => void): Promise<ShadowRun> {
  const startedAt = new Date();
  const samples: ShadowSample[] = [];
  const counts: Partial<Record<Case, Readonly<Record<string, number>>>> = {};
  await runInFolder(async ({ directory, stopping }) => {
    const processes = new Processes({ inspect: false });
    stopping(processes);
    try {
      const contestants = await startAll(processes, directory);
      for (let round = 0; round <= options.rounds; round += 1) {
        for (const contestant of contestants) {
          const sample = await measure(contestant, round, options, processes);
          if (round === 0) continue;
          samples.push(sample);
          const { result, base: beside } = sample;
          const [own, other] = [result.p99Ms.toFixed(2), beside.result.p99Ms.toFixed(2)];
          tell(`round ${round}, ${contestant.case}: p99 ${own} ms, without shadow reads ${other} ms`);
        }
      }
      for (const { case: each, adminPort } of contestants) counts[each] = await shadowCounts(adminPort);
    } finally {
      await processes.stopAll();
    }
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  return { startedAt, machine, options, samples, counts };
}

async function startAll(processes: Processes, directory: string): Promise<Contestant[]> {
  const postgres = await startPostgres(processes, { core: 'any', settings: ['fsync=off'] });
  if (postgres === undefined) throw new Error('Postgres is needed: apt-get install postgresql');
  const [legacy = 0] = (await processes.startNode(SECONDARY, [], { core: 'any' })).ports;
  const [, ...others] = (await processes.startNode(SECONDARY, [], { core: 'any' })).ports;
  const client = new Client({ connectionString: postgres });
  await client.connect();
  const startOne = async (name: string, each: Case, secondary: number): Promise<Gateway> => {
    await client.query(`CREATE DATABASE bench_${name}`);
    const url = postgres.replace(/\/postgres$/, `/bench_${name}`);
    return startGateway(processes, join(directory, `${name}.yaml`), each, { legacy, new: secondary }, url);
  };
  const contestants: Contestant[] = [];
  const [anything = 0] = others;
  try {
    for (const each of CASES) {
      const at = LISTENING.findIndex((name) => name === each);
      // Nobody listens on a port that was free a moment ago.
      const secondary = each === 'off' ? anything : (others[at] ?? (await freePort()));
      const base = await startOne(`beside_${each}`, 'off', anything);
      contestants.push({ case: each, base, ...(await startOne(each, each, secondary)) });
    }
    return contestants;
  } finally {
    await client.end();
  }
}

async function startGateway(
  processes: Processes,
  file: string,
  each: Case,
  backends: { readonly legacy: number; readonly new: number },
  postgres: string,
): Promise<Gateway> {
  const [port, adminPort] = [await freePort(), await freePort()];
  writeFileSync(
    file,
    `
listen: { host: 127.0.0.1, port: ${port} }
admin: { listen: { host: 127.0.0.1, port: ${adminPort} } }
backends:
  legacy: { url: "http://127.0.0.1:${backends.legacy}" }
  new: { url: "http://127.0.0.1:${backends.new}" }
state: { kind: embedded }
record: { kind: postgres, url: "${postgres}" }
identity:
  - { from: header, name: x-user-id, trusted: true }
cohorts:
  - { name: everyone, default: true, stage: shadow }
routes:
  - { match: "/*"${each === 'off' ? '' : ', shadow: { sample: 1 }'} }
shadow: { noiseSample: 0 }
`,
  );
  const started = processes.startTurnout(file, 'any');
  await processes.untilListening(port, started);
  return { started, port, adminPort };
}

async function measure(
  contestant: Contestant,
  round: number,
  { seconds, rate }: ShadowOptions,
  processes: Processes,
): Promise<ShadowSample> {
  const pair = [contestant, contestant.base];
  const before = pair.map(({ started: { pid } }) => {
    resetPeak(pid);
    return cpuUs(pid);
  });
  const ports = pair.map(({ port }) => port);
  const results = await paced(processes, { ports, rate, seconds: round === 0 ? WARM_UP_SECONDS : seconds });
  const [own, beside] = pair.map(({ started: { pid } }, index): Measured => {
    const result = results[index];
    if (result === undefined) throw new Error('the load ended without a result for each gateway');
    const usedUs = cpuUs(pid) - (before[index] ?? 0);
    return { result, cpuUs: usedUs / Math.max(1, result.answers), peakBytes: memory(pid).peakBytes };
  });
  if (own === undefined || beside === undefined) throw new Error('there are two gateways');
  return { case: contestant.case, round, ...own, base: beside };
}

async function paced(processes: Processes, load: PacedLoad): Promise<readonly PacedResult[]> {
  const { child } = processes.start(process.execPath, [LOAD, JSON.stringify(load)], {
    core: 'any',
    ipc: true,
  });
  let result = '';
  child.on('message', (message) => {
    if (typeof message === 'string') result = message;
  });
  await once(child, 'exit');
  return parsePacedResults(result);
}

/** Shadow reads since the gateway started, by verdict, and by `skipped: reason`. */
async function shadowCounts(adminPort: number): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const counts: Record<string, number> = {};
  for (const line of (await answer.text()).split('\n')) {
    const read = /^turnout_shadow_reads_total\{.*verdict="(\w+)".*\} (\d+)$/.exec(line);
    const skipped = /^turnout_shadow_skipped_total\{reason="(\w+)".*\} (\d+)$/.exec(line);
    if (read !== null) counts[read[1] ?? ''] = Number(read[2]);
    if (skipped !== null) counts[`skipped: ${skipped[1]}`] = Number(skipped[2]);
  }
  return counts;
}
