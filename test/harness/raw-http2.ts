/**
 * An HTTP/2 client that sends any header it is told to, as it stands: header blocks are written as literals
 * without indexing and without Huffman (RFC 7541, 6.2.2), which every peer has to accept. Answers are told by
 * their frames; of a header block only the status is read.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { ByteReader, CutError } from './byte-reader.ts';
import type { Teardown } from './teardown.ts';
import { within } from './within.ts';

export const Frame = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7 } as const;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const ACK = 0x1;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** The statuses of HPACK's static table, by their one-byte form. */
const INDEXED_STATUS = new Map([
  [0x88, 200],
  [0x89, 204],
  [0x8a, 206],
  [0x8b, 304],
  [0x8c, 400],
  [0x8d, 404],
  [0x8e, 500],
]);

export type HeaderPair = readonly [name: string, value: string];

/** How the peer answered one stream. */
export interface StreamEnd {
  readonly kind: 'answered' | 'reset' | 'connection ended';
  /** Of an answer; 0 where it is not one of HPACK's seven. */
  readonly status: number;
  readonly body: string;
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest = bytes.length - 127;
  const size = rest < 128 ? [127, rest] : [127, (rest & 0x7f) | 0x80, rest >> 7];
  return Buffer.concat([Buffer.from(size), bytes]);
}

/** One frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A request as frames, a whole one unless `open`. Header names and values go as they are given. */
export function requestFrames(
  stream: number,
  headers: readonly HeaderPair[],
  body?: string,
  open = false,
): Buffer {
  const block = headers.map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), literal(name), literal(value)]),
  );
  const flags = END_HEADERS | (body === undefined ? END_STREAM : 0);
  const head = frame(Frame.headers, flags, stream, Buffer.concat(block));
  if (body === undefined) return head;
  return Buffer.concat([head, frame(Frame.data, open ? 0 : END_STREAM, stream, Buffer.from(body, 'latin1'))]);
}

export class RawHttp2 {
  readonly #reader: ByteReader;
  readonly #socket: Socket;

  constructor(reader: ByteReader, socket: Socket) {
    this.#reader = reader;
    this.#socket = socket;
    this.send(Buffer.concat([Buffer.from(PREFACE), frame(Frame.settings, 0, 0, Buffer.alloc(0))]));
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Ends the connection, in the middle of whatever is under way. */
  abort(): void {
    this.#socket.destroy();
  }

  /** Reads frames until the stream is over, in whatever way. One stream at a time. */
  async end(stream: number): Promise<StreamEnd> {
    let status = 0;
    let body = '';
    for (;;) {
      const next = await within(this.#frame(), `a frame of stream ${stream}`);
      if (next === undefined || next.type === Frame.goAway) return { kind: 'connection ended', status, body };
      const { type, flags, payload } = next;
      if (type === Frame.settings && (flags & ACK) === 0)
        this.send(frame(Frame.settings, ACK, 0, Buffer.alloc(0)));
      if (next.stream !== stream) continue;
      if (type === Frame.resetStream) return { kind: 'reset', status, body };
      if (type === Frame.headers && status === 0) status = INDEXED_STATUS.get(payload[0] ?? 0) ?? 0;
      if (type === Frame.data) body += payload.toString('latin1');
      if ((type === Frame.headers || type === Frame.data) && (flags & END_STREAM) !== 0) {
        return { kind: 'answered', status, body };
      }
    }
  }

  async #frame(): Promise<{ type: number; flags: number; stream: number; payload: Buffer } | undefined> {
    const head = await this.#exactly(9);
    if (head === undefined) return undefined;
    const payload = await this.#exactly(head.readUIntBE(0, 3));
    if (payload === undefined) return undefined;
    return {
      type: head.readUInt8(3),
      flags: head.readUInt8(4),
      stream: head.readUInt32BE(5) & 0x7fffffff,
      payload,
    };
  }

  async #exactly(size: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    for (let due = size; due > 0; ) {
      const piece = await this.#reader.some(due);
      if (piece === undefined) return undefined;
      pieces.push(piece);
      due -= piece.length;
    }
    return Buffer.concat(pieces);
  }
}

/** Connects over TLS, with HTTP/2 agreed; the connection is destroyed at the end of the test at the latest. */
export async function connectRawHttp2(t: Teardown, port: number, ca: string): Promise<RawHttp2> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] }, resolve);
  const reader = new ByteReader();
  socket.on('error', reject).on('data', (chunk: Buffer) => {
    reader.push(chunk);
  });
  socket.on('close', () => {
    reader.finish('fin');
  });
  t.teardown(() => {
    socket.destroy();
  });
  await within(promise, `a connection to port ${port}`);
  if (socket.alpnProtocol !== 'h2') throw new CutError('fin');
  return new RawHttp2(reader, socket);
}
