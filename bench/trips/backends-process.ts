/** Both backends of the benchmark; `new` fails as it is told. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { announceReady } from '../announce-ready.ts';
import { type Fault, type FaultMessage, failingShare, SERVICE_MS } from './faults.ts';

let fault: Fault | undefined;
/** Answers that a hanging `new` owes. */
let owed: (() => void)[] = [];

function answering(owner: 'legacy' | 'new'): RequestListener {
  return (request, response) => {
    request.resume();
    const mine = owner === 'new' ? fault : undefined;
    const answer = (): void => {
      if (Math.random() < failingShare(mine)) response.writeHead(500);
      response.end(owner);
    };
    if (mine === 'hanging') owed.push(answer);
    else setTimeout(answer, mine === 'latency × 3' ? 3 * SERVICE_MS : SERVICE_MS);
  };
}

const legacy = createServer(answering('legacy'));
const renewed = createServer(answering('new'));
await announceReady([legacy, renewed], { keepAliveMs: 600_000 });
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
    renewed.closeAllConnections();
    return;
  }
  await listen(renewed);
  const answers = owed;
  owed = [];
  for (const answer of answers) answer();
}

process.on('message', (message: FaultMessage) => {
  void put(message.fault ?? undefined).then(() => process.send?.(message));
});
