import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { pruneBuild } from './prune-build.ts';

void t.test('an output whose source was deleted is removed, the others stay', async (t) => {
  const root = t.testdir();
  const put = (path: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  };
  for (const path of ['test/kept.test.ts', 'build/test/kept.test.js', 'build/test/kept.test.js.map'])
    put(path);
  for (const path of ['build/test/gone.test.js', 'build/test/gone.test.js.map', 'build/data.json']) put(path);

  t.same(pruneBuild(root).sort(), ['build/test/gone.test.js', 'build/test/gone.test.js.map']);
  t.notOk(existsSync(join(root, 'build/test/gone.test.js')));
  t.ok(existsSync(join(root, 'build/test/kept.test.js')));
  t.ok(existsSync(join(root, 'build/data.json')));
});

void t.test('without a build there is nothing to remove', async (t) => {
  t.same(pruneBuild(t.testdir()), []);
});
