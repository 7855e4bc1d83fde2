/**
 * A listening port on which a connect neither succeeds nor fails: a thread listens with the smallest backlog
 * and never accepts, and the backlog is full, so that the system drops further connection requests.
 */
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Teardown } from '../harness/teardown.ts';

/** Listens, says where, and blocks its thread for good. */
const LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
`;

/** Linux takes one connection more than the backlog says. */
const BACKLOG_PLACES = 2;

/** @returns the port; it hangs until the end of the test */
export async function unacceptingPort(t: Teardown): Promise<number> {
  const worker = new Worker(LISTENER, { eval: true });
  t.teardown(async () => {
    await worker.terminate();
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  worker.once('error', reject);
  worker.once('message', (port: unknown) => {
    if (typeof port === 'number') resolve(port);
    else reject(new Error('the listener did not say its port'));
  });
  const port = await promise;
  for (let place = 0; place < BACKLOG_PLACES; place += 1) await occupy(t, port);
  return port;
}

async function occupy(t: Teardown, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = net.connect(port, '127.0.0.1', resolve);
  socket.once('error', reject);
  t.teardown(() => {
    socket.destroy();
  });
  await promise;
  // The listener's end resets it; nobody is interested by then.
  socket.on('error', () => undefined);
}
