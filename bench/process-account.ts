/**
 * What the operating system says a process has used, its threads and living children included. Linux only.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Memory {
  /** Resident now, bytes. */
  readonly residentBytes: number;
  /** The most that was resident at a time since the start or `resetPeak`, bytes. */
  readonly peakBytes: number;
}

let ticksPerSecond: number | undefined;

/**
 * User and system time of the process tree since it started, microseconds. The kernel rounds each of the two down
 * to a tick (10 ms as a rule), so measure at least some seconds.
 */
export function cpuUs(root: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  let ticks = 0;
  for (const pid of processTree(root)) {
    const fields = statFields(pid);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1e6) / ticksPerSecond;
}

/** Summed over the process tree; pages that two processes share are counted twice. */
export function memory(root: number): Memory {
  let residentBytes = 0;
  let peakBytes = 0;
  for (const pid of processTree(root)) {
    const status = read(`/proc/${pid}/status`);
    residentBytes += kibibytes(status, 'VmRSS') * 1024;
    peakBytes += kibibytes(status, 'VmHWM') * 1024;
  }
  return { residentBytes, peakBytes };
}

/** Forgets the peak so far, so that `memory` reports the peak since now: not that of the start. */
export function resetPeak(root: number): void {
  for (const pid of processTree(root)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The process and everything it started that still lives. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statFields(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** The fields after the command name, which may itself contain spaces and brackets: state is 0, ppid is 1. */
function statFields(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
