/**
 * Messages that are a few bytes away from good ones. Whatever they have become: what the backend gets is HTTP by
 * the letter, what the client gets is too, and the gateway goes on. The seed of a failure is in its name.
 */
import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { CutError } from '../harness/byte-reader.ts';
import { onBothBackends } from '../harness/gateway.ts';
import { okAnswer } from '../harness/raw-backend.ts';
import { chunked, startWire, type Wire } from '../harness/wire.ts';

t.jobs = 4;

const MESSAGES = 200;
const AT_ONCE = 100;
const SEED = Number(process.env['TURNOUT_TEST_SEED'] ?? Date.now() % 1_000_000);

/** Bytes that mean something to a parser. */
const TELLING = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  '9',
  'f',
  '\0',
  '\x0b',
  '\x7f',
  '\xe9',
  '"',
  '/',
];

/** Marsaglia's xorshift, 32 bits: small, and the same on every machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function mutated(text: string, random: (below: number) => number): string {
  let out = text;
  for (let rounds = 1 + random(3); rounds > 0; rounds -= 1) {
    const at = random(out.length);
    const telling = TELLING[random(TELLING.length)] ?? '';
    const length = 1 + random(4);
    switch (random(4)) {
      case 0:
        out = out.slice(0, at) + telling + out.slice(at);
        break;
      case 1:
        out = out.slice(0, at) + telling + out.slice(at + 1);
        break;
      case 2:
        out = out.slice(0, at) + out.slice(at + length);
        break;
      default:
        out = out.slice(0, at) + out.slice(at, at + length * 8) + out.slice(at);
    }
  }
  return out;
}

/** Reads answers by the letter until the connection ends. @throws WireError for anything else */
async function readToTheEnd(t: Test, wire: Wire, bytes: string): Promise<void> {
  const client = await wire.gateway.connect();
  await client.send(bytes);
  client.finish();
  try {
    // A HEAD, or a method that became one, would be read wrongly: those are told apart by the bytes sent.
    const method = /^[\r\n]*HEAD /.test(bytes) ? 'HEAD' : 'GET';
    for (;;) await client.answer(method);
  } catch (error) {
    if (!(error instanceof CutError)) {
      t.fail(
        `seed ${SEED}: ${JSON.stringify(bytes)}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

async function inBatches(count: number, one: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => one(from + index)),
    );
  }
}

const QUICK = {
  settings: { limits: { headMs: 1_500 } },
  backendSettings: { bodyMs: 1_500, headersMs: 1_500 },
};

onBothBackends(
  t,
  `requests near good ones become HTTP, or nothing (seed ${SEED})`,
  async (t, side: Backend) => {
    // Another user may come out of a mutation, or none: here the route decides.
    const wire = await startWire(t, side, undefined, {
      ...QUICK,
      settings: { ...QUICK.settings, routes: [{ match: '/*', backend: side }] },
    });
    const random = randomOf(SEED);
    const originals = [
      wire.text({ target: '/a?b=c', headers: 'Accept: */*\r\nCookie: a=b; c=d\r\n' }),
      wire.text({ method: 'POST', headers: 'Content-Length: 11\r\n', body: 'hello world' }),
      wire.text({
        method: 'PUT',
        headers: 'Transfer-Encoding: chunked\r\n',
        body: chunked(['hello', ' world'], 'X: y\r\n'),
      }),
      wire.text({
        method: 'POST',
        headers: 'Connection: close, x-a\r\nX-A: b\r\nTE: trailers\r\nContent-Length: 2\r\n',
        body: 'ok',
      }),
    ];
    const messages = Array.from({ length: MESSAGES }, (_, index) =>
      mutated(originals[index % originals.length] ?? '', random),
    );
    await inBatches(MESSAGES, (index) => readToTheEnd(t, wire, messages[index] ?? ''));
    t.strictSame(wire.backend.violations, []);
    t.equal((await wire.request()).status, 200, 'the gateway goes on');
    t.equal(await wire.gateway.failures('internal'), 0);
  },
);

onBothBackends(
  t,
  `answers near good ones become HTTP, or an error (seed ${SEED})`,
  async (t, side: Backend) => {
    const random = randomOf(SEED);
    const originals = [
      okAnswer('hello world', 'ETag: "a"\r\nSet-Cookie: a=b\r\n'),
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n${chunked(['hello', ' world'], 'X: y\r\n')}`,
      `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${okAnswer('hello')}`,
      'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive, x-a\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok',
    ];
    const answers = Array.from({ length: MESSAGES }, (_, index) =>
      mutated(originals[index % originals.length] ?? '', random),
    );
    const wire = await startWire(
      t,
      side,
      async (exchange) => {
        const index = Number(exchange.request.target.slice(1));
        await exchange.send(answers[index] ?? okAnswer('own'));
        // Half of them stay open, so that what is missing is waited for, and what is too much stays behind.
        if (index % 2 === 0) exchange.finish();
      },
      QUICK,
    );
    await inBatches(MESSAGES, async (index) => {
      const client = await wire.gateway.connect();
      try {
        await client.request(wire.text({ target: `/${index}` }));
      } catch (error) {
        if (!(error instanceof CutError)) {
          t.fail(
            `seed ${SEED}: ${JSON.stringify(answers[index])}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
      client.abort();
    });
    for (let round = 0; round < 10; round += 1) {
      t.equal(
        (await wire.request({ target: '/own' })).body.toString(),
        'own',
        'nobody’s bytes are left in the pool',
      );
    }
    t.equal(await wire.gateway.failures('internal'), 0);
  },
);
