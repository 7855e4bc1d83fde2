/** What a gateway has in memory before its first request. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const START = new URL('../../src/workers/start-turnout.ts', import.meta.url);
const NODES_OWN_CLIENT = 'NativeModule internal/deps/undici/undici';

/** The parts of Node that a program has loaded when it is through. */
function loadedBy(program: string): string[] {
  const script = `${program}; console.log(process.moduleLoadList.join('\\n'))`;
  const options = { encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) } as const;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], options).split('\n');
}

void t.test('an HTTP client that nobody uses is not loaded', async (t) => {
  t.ok(loadedBy("await import('node:http')").includes(NODES_OWN_CLIENT), 'by its name it would be seen');
  const loaded = loadedBy(`await import(${JSON.stringify(START.href)})`);
  t.ok(loaded.includes('NativeModule http2'), 'all of the gateway is there');
  t.notOk(loaded.includes(NODES_OWN_CLIENT));
});
