/** Waits for the end of a process that is nobody's child here. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
const GONE_MAX_MS = 15_000;

/** @throws Error when the process is still there after 15 seconds; it is killed then. */
export async function processGone(pid: number): Promise<void> {
  // There is no event for the end of another process's child; the bound only matters when the test fails.
  for (let waitedMs = 0; waitedMs < GONE_MAX_MS; waitedMs += POLL_MS) {
    if (!isRunning(pid)) return;
    await delay(POLL_MS);
  }
  process.kill(pid, 'SIGKILL');
  throw new Error(`process ${pid} did not end`);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended stays listed until someone asks for its exit code; in a container nobody may.
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
