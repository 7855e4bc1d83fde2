/**
 * Legacy, and the secondaries that listen: JSON of about 4 KiB in two orders of members. One process is legacy, another
 * one the secondaries, so that the one does not wait for the others.
 */
import { createServer, type RequestListener } from 'node:http';
import { announceReady } from '../announce-ready.ts';
import { LARGE_BYTES, SLOW_MS } from './shadow-cases.ts';

const items = Array.from({ length: 40 }, (_, index) => ({
  sku: `sku-${index}`,
  price: index / 4,
  name: 'x'.repeat(50),
}));
const inLegacy = Buffer.from(JSON.stringify({ count: items.length, items }));
const inNew = Buffer.from(JSON.stringify({ items, count: items.length }));

function answering(body: Buffer, delayMs = 0): RequestListener {
  return (request, response) => {
    request.resume();
    const answer = (): void => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    };
    if (delayMs === 0) answer();
    else setTimeout(answer, delayMs);
  };
}

const servers = [
  answering(inLegacy),
  answering(inNew),
  answering(inNew, SLOW_MS),
  answering(Buffer.alloc(LARGE_BYTES, 'x')),
].map((listener) => createServer(listener));
await announceReady(servers, { keepAliveMs: 600_000 });
