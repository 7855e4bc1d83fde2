import net from 'node:net';
import t, { type Test } from 'tap';
import { CutError } from '../harness/byte-reader.ts';
import { okAnswer, type Script, startRawBackend } from '../harness/raw-backend.ts';
import { connectRaw, type RawClient } from '../harness/raw-client.ts';
import { hangingPort } from './accept-and-hang.ts';
import { closeBeforeHead } from './close-before-head.ts';
import { closeInBody } from './close-in-body.ts';
import { closeInHead } from './close-in-head.ts';
import { garbage } from './garbage.ts';
import { unacceptingPort } from './never-accept.ts';
import { refusingPort } from './refuse.ts';
import { resetAfterBytes } from './reset-after-bytes.ts';
import { slowHeaders } from './slow-headers.ts';
import { readSlowly } from './slow-reader.ts';
import { stall } from './stall.ts';
import { stopReading } from './stop-reading.ts';

t.jobs = 8;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function meet(t: Test, script: Script): Promise<RawClient> {
  const backend = await startRawBackend(t, script);
  return connectRaw(t, { port: backend.port });
}

void t.test('stall sends what it was given and then nothing, until the peer leaves', async (t) => {
  const backend = await startRawBackend(t, stall('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na'));
  const client = await connectRaw(t, { port: backend.port });
  await client.send(GET);
  const head = await client.nextHead();
  t.equal((await head.body.read())?.toString(), 'a');
  client.finish();
  t.equal((await backend.connection()).requests.length, 1);
  t.equal(await (await backend.connection()).gone, 'fin');
});

void t.test('reset-after-bytes resets in the body', async (t) => {
  const client = await meet(t, resetAfterBytes(okAnswer('0123456789'), okAnswer('0123456789').length - 4));
  const answer = await client.request(GET);
  t.equal(answer.ending, 'cut');
  t.equal(await client.closed, 'reset');
});

void t.test('close-before-head ends in order without a byte', async (t) => {
  const client = await meet(t, closeBeforeHead());
  await client.send(GET);
  t.equal((await client.rest()).length, 0);
  t.equal(await client.closed, 'fin');
});

void t.test('close-in-head ends in order inside the head', async (t) => {
  const client = await meet(t, closeInHead());
  await t.rejects(client.request(GET), new CutError('fin'));
});

void t.test('close-in-body ends in order inside a body of either framing', async (t) => {
  for (const framing of ['length', 'chunked'] as const) {
    const answer = await (await meet(t, closeInBody(framing))).request(GET);
    t.equal(answer.body.toString(), '01234');
    t.equal(answer.ending, 'cut', framing);
  }
});

void t.test('garbage is no HTTP', async (t) => {
  const client = await meet(t, garbage());
  await t.rejects(client.request(GET), { name: 'WireError' });
});

void t.test('slow-headers sends a head that does not end', async (t) => {
  const backend = await startRawBackend(t, slowHeaders(1));
  const client = await connectRaw(t, { port: backend.port });
  await client.send(GET);
  let text = '';
  while (!text.includes('X-Padding')) text += (await client.bytes())?.toString('latin1');
  t.notMatch(text, '\r\n\r\n');
  client.abort();
  t.equal(await (await backend.connection()).gone, 'reset');
});

void t.test('stop-reading leaves the sender with bytes it cannot send', async (t) => {
  const backend = await startRawBackend(t, stopReading());
  const client = await connectRaw(t, { port: backend.port });
  const size = 64 * 1024 * 1024;
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  await backend.request();
  const done = client.send(Buffer.alloc(size)).then(() => 'sent');
  const held = new Promise((resolve) => setImmediate(resolve, 'held'));
  t.equal(await Promise.race([done, held]), 'held');
  client.abort();
  await done;
});

void t.test('slow-reader reads everything in the end', async (t) => {
  const client = await meet(t, async (exchange) => {
    await exchange.send(okAnswer('x'.repeat(500_000)));
  });
  await client.send(GET);
  t.equal(await readSlowly(client, (await client.nextHead()).body, 1), 500_000);
});

async function connectOutcome(t: Test, port: number, ms: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  t.teardown(() => {
    socket.destroy();
  });
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, 'pending');
    const end = (outcome: string): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    socket.once('connect', () => {
      end('connected');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(error.code ?? 'error');
    });
  });
}

void t.test('refuse refuses', async (t) => {
  t.equal(await connectOutcome(t, await refusingPort(t), 10_000), 'ECONNREFUSED');
});

void t.test('accept-and-hang connects', async (t) => {
  t.equal(await connectOutcome(t, await hangingPort(t), 10_000), 'connected');
});

void t.test('never-accept leaves a connect pending', async (t) => {
  t.equal(await connectOutcome(t, await unacceptingPort(t), 300), 'pending');
});
