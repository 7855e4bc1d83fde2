/** What the benchmarks with processes of their own share: a folder that goes, and an end that always comes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Processes } from './processes.ts';

export interface RunFolder {
  readonly directory: string;
  /** Has these processes stopped when the run is interrupted; whoever started them stops them else. */
  readonly stopping: (processes: Processes) => void;
}

/** Removes the folder when `work` is over, however it ends. Interrupted, it stops the processes first. */
export async function runInFolder<T>(work: (folder: RunFolder) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'turnout-bench-'));
  const started: Processes[] = [];
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const interrupted = (): void => {
    void Promise.all(started.map((processes) => processes.stopAll())).then(() => {
      remove();
      process.exit(130);
    });
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    return await work({ directory, stopping: (processes) => started.push(processes) });
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    remove();
  }
}
