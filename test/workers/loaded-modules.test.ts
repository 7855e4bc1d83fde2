/** What a gateway has in memory before its first request. */
import { execFileSync } from 'node:child_process';
import { extname } from 'node:path';
import t from 'tap';

// As it is here: compiled, or as it was written.
const START = new URL(`../../src/workers/start-turnout${extname(import.meta.url)}`, import.meta.url);
const NODES_OWN_CLIENT = 'NativeModule internal/deps/undici/undici';

/** The parts of Node that a program has loaded when it is through. */
function loadedBy(program: string): string[] {
  const script = `${program}; console.log(process.moduleLoadList.join('\\n'))`;
  const args = ['--input-type=module', '--eval', script];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).split('\n');
}

void t.test('an HTTP client that nobody uses is not loaded', async (t) => {
  t.ok(loadedBy("await import('node:http')").includes(NODES_OWN_CLIENT), 'by its name it would be seen');
  const loaded = loadedBy(`await import(${JSON.stringify(START.href)})`);
  t.ok(loaded.includes('NativeModule http2'), 'all of the gateway is there');
  t.notOk(loaded.includes(NODES_OWN_CLIENT));
});
