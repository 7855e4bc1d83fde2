/**
 * The two backends of the flips: each says who it is. A read is answered at once, a write after some
 * milliseconds, so that there is always something in flight to drain.
 */
import { createServer, type RequestListener } from 'node:http';
import { announceReady } from '../announce-ready.ts';
import { WRITE_MS } from './load.ts';

function answering(name: string): RequestListener {
  return (request, response) => {
    request.resume();
    const answer = (): void => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': name.length });
      response.end(name);
    };
    request.on('end', () => {
      if (request.method === 'GET') answer();
      else setTimeout(answer, WRITE_MS);
    });
  };
}

const servers = ['legacy', 'new'].map((name) => createServer(answering(name)));
await announceReady(servers, { keepAliveMs: 600_000 });
