import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { FakeControl } from './fake-control.ts';
import { openAdmin } from './open-admin.ts';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** What lives, without what waits to be collected. */
function livingBytes(): number {
  if (typeof collect === 'function') collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const LINES = 1_000_000;
const PIECE = 10_000;

void t.test('a million members are taken in, in bounded memory', async (t) => {
  const control = new FakeControl();
  control.batch = 5_000;
  control.keepsMembers = false;
  const { port } = await openAdmin(t, { control: () => control });
  const path = '/api/v1/cohorts/beta/members?reason=all';
  const headers = { 'content-type': 'text/plain' };
  const sent = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false });
  const answered = once(sent, 'response');
  let most = 0;
  let told = 0;
  let last = '';
  const reading = answered.then(async ([response]) => {
    for await (const line of createInterface({ input: response })) {
      told += 1;
      last = line;
      if (told % 20 === 0) most = Math.max(most, livingBytes());
    }
  });
  const before = livingBytes();
  for (let first = 0; first < LINES; first += PIECE) {
    const piece = Array.from(
      { length: PIECE },
      (_, n) => `customer-${String(first + n).padStart(12, '0')}\n`,
    );
    if (!sent.write(piece.join(''))) await once(sent, 'drain');
  }
  sent.end();
  await reading;
  t.match(JSON.parse(last), { done: true, line: LINES, changed: LINES, refused: 0 });
  t.equal(told, LINES / control.batch + 1, 'each batch is reported');
  const grown = most - before;
  t.comment(`${Math.round(grown / 1e6)} MB more while ${LINES} lines went through`);
  // The upload has 22 MB and both of its ends are in this process; as objects, its users would take 100 MB.
  t.ok(grown < 12_000_000, `${Math.round(grown / 1e6)} MB`);
});
