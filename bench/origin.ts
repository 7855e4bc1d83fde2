/**
 * The backend of every peer, in a process of its own: answers of a known size, as cheap as `node:http` allows.
 * It listens on two ports, so that peers which choose between two backends have two to choose from.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { announceReady } from './announce-ready.ts';
import { countAnswer } from './scenarios.ts';

const bodies = new Map([1024, 65_536].map((size) => [`/bytes/${size}`, Buffer.alloc(size, 'turnout ')]));

function answer(request: IncomingMessage, response: ServerResponse): void {
  const body = bodies.get(request.url ?? '');
  if (request.method === 'POST' && request.url === '/count') {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => send(response, 200, Buffer.from(countAnswer(bytes))));
  } else if (request.method === 'GET' && body !== undefined) {
    send(response, 200, body);
  } else {
    request.resume();
    send(response, 404, Buffer.from('{}'));
  }
}

function send(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    etag: '"a1b2c3"',
  });
  response.end(body);
}

const servers = [createServer(answer), createServer(answer)];
await announceReady(servers, { keepAliveMs: 600_000 });
