/**
 * Bundles the console into a folder: one script, one style sheet, the page, the icon, and a list of them with their
 * types. `node src/console/build-console.ts` does it for the package, into build/console.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What the script may take on its way to the browser, bytes. */
export const SCRIPT_GZIP_BYTES_MAX = 100 * 1024;

export interface ConsoleBundle {
  /** Names of the files under `assets/`, by what they are. Each carries a digest of what is in it. */
  readonly script: string;
  readonly style: string;
  readonly icon: string;
  /** Of the script. */
  readonly gzipBytes: number;
}

/**
 * @param source the folder of the console's sources
 * @param target is emptied first
 * @throws Error when it does not compile, or the script is too large
 */
export async function buildConsole(source: string, target: string): Promise<ConsoleBundle> {
  const result = await build({
    entryPoints: [join(source, 'main.tsx')],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: ['chrome120', 'firefox121', 'safari17.2'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    outdir: target,
    legalComments: 'eof',
    logLevel: 'silent',
  });
  const [script, style] = ['.js', '.css'].map((end) => {
    const file = result.outputFiles.find(({ path }) => path.endsWith(end));
    if (file === undefined) throw new Error(`the bundle has no ${end} file`);
    return Buffer.from(file.contents);
  });
  if (script === undefined || style === undefined) throw new Error('the bundle is not whole');
  const gzipBytes = gzipSync(script).byteLength;
  if (gzipBytes > SCRIPT_GZIP_BYTES_MAX) {
    throw new Error(
      `the script takes ${gzipBytes} bytes gzipped, ${SCRIPT_GZIP_BYTES_MAX} at most are allowed`,
    );
  }

  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'assets'), { recursive: true });
  const add = (stem: string, end: string, content: Buffer): string => {
    const digest = createHash('sha256').update(content).digest('hex').slice(0, 16);
    const name = `${stem}-${digest}.${end}`;
    writeFileSync(join(target, 'assets', name), content);
    writeFileSync(join(target, 'assets', `${name}.gz`), gzipSync(content, { level: 9 }));
    return name;
  };
  const names = {
    script: add('console', 'js', script),
    style: add('console', 'css', style),
    icon: add('icon', 'svg', readFileSync(join(source, 'icon.svg'))),
  };
  const page = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('%SCRIPT%', `/assets/${names.script}`)
    .replace('%STYLE%', `/assets/${names.style}`)
    .replace('%ICON%', `/assets/${names.icon}`);
  writeFileSync(join(target, 'index.html'), page);
  return { ...names, gzipBytes };
}

if (import.meta.main) {
  const source = import.meta.dirname;
  const { gzipBytes } = await buildConsole(source, join(dirname(dirname(source)), 'build', 'console'));
  process.stdout.write(`console: ${(gzipBytes / 1024).toFixed(1)} KiB of script, gzipped\n`);
}
