/** Runs the micro-benchmarks of bench/micro, each in a Node of its own, one after the other. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * @param names which ones, without the extension; empty: all
 * @returns the exit code: that of the first which failed, or 0
 */
export function runMicro(names: readonly string[]): number {
  const folder = join(import.meta.dirname, 'micro');
  const all = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.js'))
        .map((file) => basename(file, '.js'))
        .sort()
    : [];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined || all.length === 0) {
    console.error(`no micro-benchmark ${unknown ?? ''}; there are: ${all.join(', ')}`);
    return 2;
  }
  for (const name of names.length > 0 ? names : all) {
    console.log(`\n${name}`);
    const { status } = spawnSync(process.execPath, [join(folder, `${name}.js`)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) return status ?? 1;
  }
  return 0;
}
