/** Where the installed package is, however deep in it this module was compiled to. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @param from the URL of a module of the package
 * @returns the nearest folder above it that has a package.json
 * @throws Error when there is none
 */
export function packageRoot(from: string): string {
  let folder = dirname(fileURLToPath(from));
  for (;;) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`there is no package.json above ${fileURLToPath(from)}`);
    folder = parent;
  }
}
