import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project, whether this runs as TypeScript in bench/ or compiled in build/bench/. */
const ROOT = join(import.meta.dirname, import.meta.url.endsWith('.ts') ? '..' : '../..');

/**
 * Writes one run under the day on which it began.
 *
 * @param folder `undefined`: bench/results
 * @returns the files written
 */
export function writeResults(
  name: string,
  startedAt: Date,
  { markdown, json }: { readonly markdown: string; readonly json: unknown },
  folder: string = join(ROOT, 'bench/results'),
): string[] {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${startedAt.toISOString().slice(0, 10)}-${name}`);
  writeFileSync(`${path}.md`, markdown);
  // Where it was written is no part of what was measured, and says how this machine's folders are named.
  const written = (key: string, value: unknown): unknown => (key === 'results' ? undefined : value);
  writeFileSync(`${path}.json`, `${JSON.stringify(json, written, 1)}\n`);
  return [`${path}.md`, `${path}.json`];
}
