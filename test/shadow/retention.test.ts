/** Nothing of a read is kept when it is over. */
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { Exchange } from '../../src/intake/exchange.ts';
import { ChosenRead } from '../../src/shadow/chosen-read.ts';
import { KeptBody } from '../../src/upstream/kept-body.ts';
import { json, startWorld } from './shadow-world.ts';

setFlagsFromString('--expose-gc');

async function collect(): Promise<void> {
  const gc: unknown = runInNewContext('gc');
  if (typeof gc !== 'function') throw new Error('there is no collector to call');
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}

function live(of: new (...args: never[]) => object): number {
  return Number(queryObjects(of, { format: 'count' }));
}

const BYTES = 200_000;
const READS = 16;

void t.test('bodies, reads and exchanges are let go of, however the read ends', async (t) => {
  const text = 'x'.repeat(BYTES);
  const world = await startWorld(t, {
    legacy: json({ text }),
    new: (request, response) => {
      if (request.url === '/dead') response.destroy();
      else if (request.url === '/large') response.end(Buffer.alloc(2_000_000));
      else void json({ text, other: request.url !== '/same' })(request, response);
    },
  });
  const paths = ['/same', '/other', '/dead', '/large'];
  const round = async (): Promise<void> => {
    const before = world.sink.told;
    for (let asked = 0; asked < READS; asked += 1) await world.ask(paths[asked % paths.length] ?? '/');
    await world.sink.until(before + READS);
    world.sink.forget();
  };
  await round();
  await collect();
  const { arrayBuffers } = process.memoryUsage();
  await round();
  t.match(world.activity(), { reads: 0, queued: 0, confirmations: 0, keptBytes: 0 });
  await collect();
  t.strictSame([live(ChosenRead), live(KeptBody), live(Exchange)], [0, 0, 0]);
  const grown = process.memoryUsage().arrayBuffers - arrayBuffers;
  t.ok(grown < 4 * BYTES, `${grown} bytes more than after the first ${READS} reads`);
});
