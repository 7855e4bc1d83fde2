/** Writes a history into a folder while it happens, and reads it back. */
import { createWriteStream, type WriteStream, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change, History, Operation } from './checker/history.ts';
import { nowMs } from './clock.ts';
import { readApplied } from './recording-backends.ts';

export type World = Pick<History, 'strandingForbidden' | 'cohorts' | 'users'>;

const FILES = {
  world: 'world.json',
  operations: 'operations.jsonl',
  changes: 'changes.jsonl',
  applied: 'applied.jsonl',
  events: 'events.txt',
  records: 'records.jsonl',
} as const;

export class Recorder {
  readonly dir: string;
  readonly #operations: WriteStream;
  readonly #changes: WriteStream;
  readonly #events: WriteStream;

  constructor(dir: string) {
    this.dir = dir;
    this.#operations = createWriteStream(join(dir, FILES.operations));
    this.#changes = createWriteStream(join(dir, FILES.changes));
    this.#events = createWriteStream(join(dir, FILES.events));
  }

  /** Where the backends note what they applied. */
  get appliedFile(): string {
    return join(this.dir, FILES.applied);
  }

  world(world: World): Promise<void> {
    return writeFile(join(this.dir, FILES.world), JSON.stringify(world));
  }

  operation(operation: Operation): void {
    this.#operations.write(`${JSON.stringify(operation)}\n`);
  }

  change(change: Change): void {
    this.#changes.write(`${JSON.stringify(change)}\n`);
  }

  /** As `event`: every replacement of a user's record. */
  records(records: readonly object[]): void {
    writeFileSync(
      join(this.dir, FILES.records),
      records.map((record) => `${JSON.stringify(record)}\n`).join(''),
    );
  }

  /** For people who look for what happened. */
  event(what: string): void {
    this.#events.write(`${nowMs().toFixed(1)} ${what}\n`);
  }

  async close(): Promise<void> {
    const streams = [this.#operations, this.#changes, this.#events];
    await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
  }
}

/** @throws when the folder has no whole history */
export async function readHistory(dir: string): Promise<History> {
  const world: World = JSON.parse(await readFile(join(dir, FILES.world), 'utf8'));
  const lines = async <T>(file: string): Promise<T[]> => {
    const text = await readFile(join(dir, file), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): T => JSON.parse(line));
  };
  return {
    ...world,
    operations: await lines<Operation>(FILES.operations),
    changes: await lines<Change>(FILES.changes),
    applied: await readApplied(join(dir, FILES.applied)),
  };
}
