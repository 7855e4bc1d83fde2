/** Both backends of the benchmark; `new` fails as it is told. */
import type { Server, Socket } from 'node:net';
import { announceReady } from '../announce-ready.ts';
import { type Fault, type FaultMessage, failingShare, SERVICE_MS } from './faults.ts';
import { createPlainBackend } from './plain-backend.ts';

let fault: Fault | undefined;
/** Answers that a hanging `new` owes. */
let owed: (() => void)[] = [];

function backend(owner: 'legacy' | 'new'): Server {
  return createPlainBackend(owner, (answer) => {
    const mine = owner === 'new' ? fault : undefined;
    const give = (): void => answer(Math.random() < failingShare(mine) ? 500 : 200);
    if (mine === 'hanging') owed.push(give);
    else setTimeout(give, mine === 'latency × 3' ? 3 * SERVICE_MS : SERVICE_MS);
  });
}

const legacy = backend('legacy');
const renewed = backend('new');
const connections = new Set<Socket>();
renewed.on('connection', (socket: Socket) => {
  connections.add(socket);
  socket.once('close', () => connections.delete(socket));
});
await announceReady([legacy, renewed]);
const address = renewed.address();
const port = address !== null && typeof address === 'object' ? address.port : 0;

async function listen(server: Server): Promise<void> {
  if (server.listening) return;
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
}

async function put(next: Fault | undefined): Promise<void> {
  fault = next;
  if (next === 'refused') {
    renewed.close();
    for (const socket of connections) socket.destroy();
    return;
  }
  await listen(renewed);
  const answers = owed;
  owed = [];
  for (const give of answers) give();
}

process.on('message', (message: FaultMessage) => {
  void put(message.fault ?? undefined).then(() => process.send?.(message));
});
