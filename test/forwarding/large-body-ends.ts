/**
 * Both ends of large transfers, in a process of their own: a backend that gives and takes bodies of any size, and
 * a client that asks for them. The test's own process then has the gateway alone, and its memory can be judged.
 */
import http from 'node:http';
import { crc32 } from 'node:zlib';

/** One transfer, as the test asks for it. */
export interface Transfer {
  readonly gatewayPort: number;
  readonly user: string;
  readonly direction: 'up' | 'down';
  readonly framing: 'sized' | 'chunked';
  readonly bytes: number;
}

/** What the receiving end got, and what the sending end sent. */
export interface TransferResult {
  readonly sentCrc: number;
  readonly receivedCrc: number;
  readonly receivedBytes: number;
}

const PIECE = Buffer.alloc(
  64 * 1024,
  'Turnout: the piece of track that sends each train onto one line or the other. ',
);

async function pour(to: http.ServerResponse | http.ClientRequest, bytes: number): Promise<number> {
  let crc = 0;
  for (let left = bytes; left > 0; ) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    crc = crc32(piece, crc);
    left -= piece.length;
    if (!to.write(piece)) await new Promise((resolve) => to.once('drain', resolve));
  }
  to.end();
  return crc;
}

async function drain(from: http.IncomingMessage): Promise<{ bytes: number; crc: number }> {
  let bytes = 0;
  let crc = 0;
  for await (const piece of from) {
    if (!Buffer.isBuffer(piece)) throw new Error('the body is not bytes');
    bytes += piece.length;
    crc = crc32(piece, crc);
  }
  return { bytes, crc };
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  if (request.method === 'PUT') {
    response.end(JSON.stringify(await drain(request)));
    return;
  }
  const bytes = Number(request.headers['x-bytes']);
  if (request.headers['x-framing'] === 'sized') response.setHeader('content-length', bytes);
  await pour(response, bytes);
}

async function transfer({ gatewayPort, user, direction, framing, bytes }: Transfer): Promise<TransferResult> {
  const headers: http.OutgoingHttpHeaders = { 'x-user': user, 'x-bytes': bytes, 'x-framing': framing };
  if (direction === 'up' && framing === 'sized') headers['content-length'] = bytes;
  const method = direction === 'up' ? 'PUT' : 'GET';
  const request = http.request({ port: gatewayPort, method, headers, agent: false });
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  if (direction === 'down') {
    request.end();
    const { bytes: receivedBytes, crc } = await drain(await answered);
    return { sentCrc: crcOf(bytes), receivedCrc: crc, receivedBytes };
  }
  const sentCrc = await pour(request, bytes);
  const text: string[] = [];
  for await (const piece of await answered) text.push(String(piece));
  const seen: { bytes: number; crc: number } = JSON.parse(text.join(''));
  return { sentCrc, receivedCrc: seen.crc, receivedBytes: seen.bytes };
}

function crcOf(bytes: number): number {
  let crc = 0;
  for (let left = bytes; left > 0; left -= PIECE.length) {
    crc = crc32(left < PIECE.length ? PIECE.subarray(0, left) : PIECE, crc);
  }
  return crc;
}

const server = http.createServer((request, response) => {
  serve(request, response).catch(() => {
    response.destroy();
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on TCP');
  process.send?.({ port: address.port });
});
process.on('message', (asked: Transfer) => {
  transfer(asked).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
