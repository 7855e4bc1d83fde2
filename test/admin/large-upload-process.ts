/**
 * Sends a large upload to an admin listener over a control service in memory, both in this process, and says what
 * came of it. In a process of its own, because the test runner follows every promise, and there are millions.
 */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { createAdmin } from '../../src/admin/create-admin.ts';
import { FakeControl } from './fake-control.ts';
import { FakeSource } from './fake-source.ts';

const PIECE = 10_000;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** What lives, without what waits to be collected. */
function livingBytes(): number {
  if (typeof collect === 'function') collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const lines = Number(process.argv[2]);
const control = new FakeControl();
control.batch = 5_000;
control.keepsMembers = false;
const admin = await createAdmin({
  listen: { host: '127.0.0.1', port: 0 },
  tokens: [],
  source: new FakeSource(),
  control: () => control,
  log: pino({ level: 'silent' }),
});
const sent = httpRequest({
  host: '127.0.0.1',
  port: admin.address.port,
  path: '/api/v1/cohorts/beta/members?reason=all',
  method: 'POST',
  headers: { 'content-type': 'text/plain' },
  agent: false,
});
let most = 0;
let told = 0;
let last = '';
const reading = once(sent, 'response').then(async ([response]) => {
  for await (const line of createInterface({ input: response })) {
    told += 1;
    last = line;
    if (told % 20 === 0) most = Math.max(most, livingBytes());
  }
});
const before = livingBytes();
for (let first = 0; first < lines; first += PIECE) {
  const piece = Array.from({ length: PIECE }, (_, n) => `customer-${String(first + n).padStart(12, '0')}\n`);
  if (!sent.write(piece.join(''))) await once(sent, 'drain');
}
sent.end();
await reading;
await admin.close();
process.stdout.write(JSON.stringify({ last: JSON.parse(last), told, grownBytes: most - before }));
