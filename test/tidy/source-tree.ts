import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type Import, importsOf } from './scan-source.ts';

/** Paths from the root of the checkout (`src/state/x.ts`) and the text of each file. */
export type SourceTree = ReadonlyMap<string, string>;

/** Reads every TypeScript file of the given folders. */
export function readTree(root: string, folders: readonly string[]): SourceTree {
  const tree = new Map<string, string>();
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/u.test(name)) continue;
      const path = join(folder, name);
      tree.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return tree;
}

/** The room that a path of `src` belongs to, or the file's own name at the top: `state`, `gateway.ts`. */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

export interface Arrow extends Import {
  readonly from: string;
  /** The imported file for a relative import, else `undefined`. */
  readonly to: string | undefined;
}

export function arrowsOf(tree: SourceTree): Arrow[] {
  return [...tree].flatMap(([from, source]) =>
    importsOf(source).map((found) => ({
      ...found,
      from,
      to: found.specifier.startsWith('.') ? normalize(join(dirname(from), found.specifier)) : undefined,
    })),
  );
}

/** `ioredis` for `ioredis/x`, `@scope/name` for `@scope/name/x`. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
