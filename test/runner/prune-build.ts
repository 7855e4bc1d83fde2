/**
 * Removes compiled files whose source is gone, so that a deleted test or module cannot go on living in build/.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';

const COMPILED = /\.js(\.map)?$/;
/** The console's bundle: its build empties it itself. */
const BUNDLED = `console${sep}`;

/**
 * @param root the checkout; sources are in `root/src`, `root/test` and so on, outputs in `root/build`
 * @returns the removed files, relative to `root`
 */
export function pruneBuild(root: string): string[] {
  const build = join(root, 'build');
  if (!existsSync(build)) return [];
  const removed: string[] = [];
  for (const entry of readdirSync(build, { recursive: true, encoding: 'utf8' })) {
    if (!COMPILED.test(entry) || entry.startsWith(BUNDLED)) continue;
    const source = join(root, entry.replace(COMPILED, '.ts'));
    if (existsSync(source)) continue;
    rmSync(join(build, entry));
    removed.push(join('build', entry));
  }
  return removed;
}
