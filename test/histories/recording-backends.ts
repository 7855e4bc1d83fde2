/** The process of the two recording backends, and what their log says. */
import { readFile } from 'node:fs/promises';
import type { Teardown } from '../harness/teardown.ts';
import type { Applied, Backend } from './checker/history.ts';
import { type ForkedProcess, forkProcess } from './fork-process.ts';
import type { BackendsPlan, LogLine, ReadsOrder } from './recording-backends-process.ts';

export class RecordingBackends {
  readonly ports: { readonly [B in Backend]: number };
  readonly #file: string;
  readonly #process: ForkedProcess;

  private constructor(file: string, ports: { readonly [B in Backend]: number }, forked: ForkedProcess) {
    this.#file = file;
    this.ports = ports;
    this.#process = forked;
  }

  static async start(t: Teardown, plan: BackendsPlan): Promise<RecordingBackends> {
    const forked = forkProcess(t, 'recording-backends-process');
    const ports = await forked.ask<{ readonly [B in Backend]: number }>(plan);
    return new RecordingBackends(plan.file, ports, forked);
  }

  /** What `new` does with reads from now on; writes are served as ever. */
  async order(reads: ReadsOrder): Promise<void> {
    await this.#process.ask({ reads });
  }

  /** Ends the process, when nothing is sent any more, and reads what it noted. */
  async applied(): Promise<readonly Applied[]> {
    await this.#process.end();
    return readApplied(this.#file);
  }
}

export async function readApplied(file: string): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const text of (await readFile(file, 'utf8')).split('\n')) {
    if (text === '') continue;
    const [appliedSeq, what, backend, user, value, appliedMs, beganSeq, beganMs]: LogLine = JSON.parse(text);
    if (what === 'a') applied.push({ backend, user, value, beganSeq, appliedSeq, beganMs, appliedMs });
  }
  return applied;
}
