/**
 * A backend that answers requests one after the other on each connection and knows just enough of HTTP/1.1 for the
 * gateway's: a head, perhaps a body with a length. It has the cores that the gateways and the guard are measured on.
 */
import { createServer, type Server, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Of a head and its body. */
const BYTES_MAX = 65_536;

/** What a request is answered with, once it is. */
export type Answer = (status: 200 | 500) => void;

/** @param onRequest is called for each request when all of it is here, and calls back when it is to be answered */
export function createPlainBackend(name: string, onRequest: (answer: Answer) => void): Server {
  const answers = {
    200: `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`,
    500: `HTTP/1.1 500 Internal Server Error\r\nContent-Length: ${name.length}\r\n\r\n${name}`,
  } as const;
  return createServer({ noDelay: true }, (socket) => {
    serve(socket, (done) => {
      onRequest((status) => {
        if (socket.writable) socket.write(answers[status], 'latin1');
        done();
      });
    });
  });
}

function serve(socket: Socket, onRequest: (done: () => void) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  let isBusy = false;
  const next = (): void => {
    while (!isBusy) {
      const length = requestLength(bytes);
      if (length === undefined || length > bytes.length) return;
      bytes = bytes.subarray(length);
      isBusy = true;
      onRequest(() => {
        isBusy = false;
        next();
      });
    }
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (bytes.length > BYTES_MAX) socket.destroy();
    else next();
  });
}

/** @returns the length of the request that `bytes` begin with; `undefined` while its head is not here */
function requestLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, end));
  return end + HEAD_END.length + Number(length?.[1] ?? 0);
}
