/** What a run found, as ratios, on the terminal, in Markdown and in JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample } from './measure.ts';
import type { Options } from './options.ts';
import type { Memory } from './process-account.ts';
import type { Scenario } from './scenarios.ts';
import { median, type Spread, spread } from './statistics.ts';

export interface PeerNote {
  readonly name: string;
  readonly title: string;
  readonly version: string;
}

export interface Run {
  readonly startedAt: Date;
  readonly options: Options;
  readonly machine: string;
  readonly load: string;
  readonly pinned: boolean;
  readonly peers: readonly PeerNote[];
  /** Peers that could not run, with what to install. */
  readonly missing: readonly { readonly name: string; readonly hint: string }[];
  readonly scenarios: readonly Scenario[];
  readonly samples: readonly Sample[];
  /** What peers told about themselves after the last round. */
  readonly notes: ReadonlyMap<string, string>;
  /** After the last round. */
  readonly memory: ReadonlyMap<string, Memory>;
}

/** The peer that the ratios are about. */
export const SUBJECT = 'gateway';
const MEMORY_BYTES_MAX = 150e6;

/** At most this share of the peer's CPU for one request. */
const TARGETS: ReadonlyMap<string, number> = new Map([
  ['http-proxy', 0.65],
  ['floor', 1.25],
]);

interface Row {
  readonly peer: string;
  readonly scenario: string;
  readonly cpuUs: Spread;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU of the subject divided by this peer's, round by round; `undefined` when the subject did not run. */
  readonly ratio: Spread | undefined;
  /** CPU of this peer divided by the floor's. */
  readonly toFloor: Spread;
  readonly target: number | undefined;
}

export function summarise(run: Run): Row[] {
  return run.scenarios.flatMap(({ name: scenario }) =>
    run.peers.flatMap(({ name: peer }) => {
      const own = samplesOf(run, scenario, peer);
      if (own.length === 0) return [];
      const subject = samplesOf(run, scenario, SUBJECT);
      const ratios = paired(subject, own);
      return [
        {
          peer,
          scenario,
          cpuUs: spread(own.map(({ cpuUs }) => cpuUs)),
          p50Us: median(own.map(({ result }) => result.p50Us)),
          p99Us: median(own.map(({ result }) => result.p99Us)),
          ratio: peer === SUBJECT || ratios.length === 0 ? undefined : spread(ratios),
          toFloor: spread(paired(own, samplesOf(run, scenario, 'floor'))),
          target: TARGETS.get(peer),
        },
      ];
    }),
  );
}

function samplesOf(run: Run, scenario: string, peer: string): Sample[] {
  return run.samples.filter((sample) => sample.scenario === scenario && sample.peer === peer);
}

/** Ratios of one round each: a disturbance that lasts longer than a round touches both sides of a ratio. */
function paired(above: readonly Sample[], below: readonly Sample[]): number[] {
  return above.flatMap((sample) => {
    const other = below.find(({ round }) => round === sample.round);
    return other === undefined ? [] : [sample.cpuUs / other.cpuUs];
  });
}

export function markdown(run: Run): string {
  const rows = summarise(run);
  const lines = ['# The data path: CPU for one request', '', ...preamble(run)];
  for (const scenario of run.scenarios) {
    lines.push(
      '',
      `## ${scenario.title}`,
      '',
      ...table(rows.filter((row) => row.scenario === scenario.name)),
    );
  }
  const memoryLines = memoryTable(run);
  if (memoryLines.length > 0)
    lines.push(
      '',
      '## Memory under load',
      '',
      'From the first round to the last, the start left out.',
      '',
      ...memoryLines,
    );
  return `${lines.join('\n')}\n`;
}

function preamble({ startedAt, options, machine, load, pinned, peers, missing, notes }: Run): string[] {
  return [
    `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine}.`,
    `Median of ${options.rounds} rounds (smallest to largest in brackets), the peers in turn in each round, after a`,
    `warm-up that is thrown away; about ${options.seconds} s a round; ${options.connections} keep-alive connections;`,
    `load by ${load}; 100,000 users in turn at random, each of whom has sent one request before, a write where writes are measured. ${pinned ? 'The proxy under test has one core to itself; load, origin and stores share another.' : 'NOT pinned to cores: `taskset` is missing.'}`,
    'CPU is what the kernel charged to all threads of the proxy, so the ratios count, not the microseconds.',
    'Latency is measured at full load and says little more than throughput.',
    ...(options.quick ? ['', '**A quick run: not to be quoted.**'] : []),
    '',
    ...peers.map(({ name, title, version }) => {
      const note = notes.get(name);
      return `- \`${name}\`: ${title} (${version})${note === undefined ? '' : `; ${note}`}`;
    }),
    ...missing.map(({ name, hint }) => `- \`${name}\`: left out; ${hint}`),
  ];
}

function table(rows: readonly Row[]): string[] {
  const withSubject = rows.some(({ peer }) => peer === SUBJECT);
  const head = ['peer', 'CPU µs', 'to floor', 'p50 ms', 'p99 ms'];
  if (withSubject) head.splice(1, 0, `${SUBJECT} / peer`, 'target');
  const body = rows.map((row) => {
    const cells = [
      row.peer,
      withSpread(row.cpuUs, 1),
      row.toFloor.median.toFixed(2),
      (row.p50Us / 1000).toFixed(2),
      (row.p99Us / 1000).toFixed(2),
    ];
    if (withSubject) {
      cells.splice(
        1,
        0,
        row.ratio === undefined ? '' : withSpread(row.ratio, 2),
        verdict(row.ratio?.median, row.target),
      );
    }
    return cells;
  });
  return render([head, ...body]);
}

function withSpread({ median: middle, min, max }: Spread, digits: number): string {
  return `${middle.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

function verdict(ratio: number | undefined, target: number | undefined): string {
  if (ratio === undefined || target === undefined) return '';
  return `at most ${target}: ${ratio <= target ? 'met' : 'NOT MET'}`;
}

function memoryTable({ memory, peers }: Run): string[] {
  const rows = peers.flatMap(({ name }) => {
    const used = memory.get(name);
    if (used === undefined) return [];
    const target = name.startsWith(SUBJECT)
      ? `at most ${MEMORY_BYTES_MAX / 1e6} MB: ${used.peakBytes <= MEMORY_BYTES_MAX ? 'met' : 'NOT MET'}`
      : '';
    return [[name, (used.residentBytes / 1e6).toFixed(0), (used.peakBytes / 1e6).toFixed(0), target]];
  });
  return rows.length === 0 ? [] : render([['peer', 'resident MB', 'peak MB', 'target'], ...rows]);
}

/** A Markdown table whose columns line up, so that it reads well on a terminal too. */
export function render(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)];
}

/** @returns the files written */
export function writeReport(run: Run, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const name = `${run.startedAt.toISOString().slice(0, 10)}-data-path${run.options.quick ? '-quick' : ''}`;
  const files = [join(folder, `${name}.md`), join(folder, `${name}.json`)];
  const [markdownFile = '', jsonFile = ''] = files;
  writeFileSync(markdownFile, markdown(run));
  const memory = Object.fromEntries(run.memory);
  const notes = Object.fromEntries(run.notes);
  writeFileSync(
    jsonFile,
    `${JSON.stringify({ ...run, notes, memory, rows: summarise(run) }, undefined, 1)}\n`,
  );
  return files;
}
