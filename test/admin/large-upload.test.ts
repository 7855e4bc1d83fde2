import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';

t.setTimeout(120_000);

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const PROCESS = fileURLToPath(new URL(`./large-upload-process${ENDING}`, import.meta.url));
const LINES = 1_000_000;
const BATCH = 5_000;

void t.test('a million members are taken in, in bounded memory', async (t) => {
  const child = spawn(process.execPath, [PROCESS, String(LINES)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const { last, told, grownBytes } = JSON.parse(out);
  t.match(last, { done: true, line: LINES, changed: LINES, refused: 0 });
  t.equal(told, LINES / BATCH + 1, 'each batch is reported');
  t.comment(`${Math.round(grownBytes / 1e6)} MB more while ${LINES} lines went through`);
  // The upload has 22 MB and both of its ends are in one process; as objects, its users would take 100 MB.
  t.ok(grownBytes < 15_000_000, `${Math.round(grownBytes / 1e6)} MB`);
});
