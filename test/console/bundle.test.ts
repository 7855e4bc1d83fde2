/** The console's bundle: it is made, it is small, and it needs nothing from elsewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { buildConsole, SCRIPT_GZIP_BYTES_MAX } from '../../src/console/build-console.ts';

/** The checkout, whether this runs as TypeScript or compiled. */
function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}

void t.test('the bundle is one small script, one style sheet and a page without inline code', async (t) => {
  const target = t.testdir();
  const { script, style, icon, gzipBytes } = await buildConsole(
    join(rootAbove(import.meta.dirname), 'src/console'),
    target,
  );
  t.ok(gzipBytes < SCRIPT_GZIP_BYTES_MAX, `${gzipBytes} bytes`);
  const page = readFileSync(join(target, 'index.html'), 'utf8');
  for (const name of [script, style, icon]) {
    t.ok(existsSync(join(target, 'assets', name)), name);
    t.match(page, `/assets/${name}`);
  }
  t.notMatch(page, /%[A-Z]+%/u, 'every place is filled in');
  t.notMatch(
    page,
    /<style|\sstyle=|\son\w+=|<script[^>]*>[^<]/u,
    'the policy allows no inline code or style',
  );
  t.notMatch(page, /https?:/u, 'nothing comes from elsewhere');
  t.notMatch(readFileSync(join(target, 'assets', style), 'utf8'), /@import|url\(\s*['"]?https?:/u);
});

void t.test('what a name stands for never changes: another content has another name', async (t) => {
  const source = join(rootAbove(import.meta.dirname), 'src/console');
  const [one, two] = [await buildConsole(source, t.testdir()), await buildConsole(source, t.testdir())];
  t.same(one, two);
});
