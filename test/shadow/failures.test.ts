/** A secondary that misbehaves is a difference that is told, and nothing to the user. */
import { once } from 'node:events';
import http2 from 'node:http2';
import t, { type Test } from 'tap';
import type { Observation } from '../../src/comparison/observation.ts';
import { hangingPort } from '../faults/accept-and-hang.ts';
import { garbage } from '../faults/garbage.ts';
import { refusingPort } from '../faults/refuse.ts';
import { resetAfterBytes } from '../faults/reset-after-bytes.ts';
import { stall } from '../faults/stall.ts';
import { answerOf, authority } from '../harness/http2-wire.ts';
import { credentialFiles } from '../harness/pem-files.ts';
import { type Script, startRawBackend } from '../harness/raw-backend.ts';
import type { RawAnswer } from '../harness/raw-client.ts';
import { type Answering, startWorld, type World, type WorldOptions } from './shadow-world.ts';

t.jobs = 2;

const BODY = JSON.stringify({
  items: Array.from({ length: 200 }, (_, index) => ({ index, name: 'ä'.repeat(20) })),
});

const fixed: Answering = (_request, response) => {
  response.writeHead(200, 'Fine', {
    Date: 'Sat, 21 Nov 2026 12:00:00 GMT',
    'Content-Type': 'application/json',
    'X-Odd-CASE': 'kept',
  });
  response.write(BODY.slice(0, 1_000));
  response.end(BODY.slice(1_000));
};

function bytesOf({ head, body, ending }: RawAnswer): string {
  return `${ending} ${head.raw}${body.toString('latin1')}`;
}

/** What the user gets when nobody looks at the read: the `quiet` route has no shadow. */
async function expectTheSame(t: Test, world: World): Promise<void> {
  const [without, first, second] = [await world.ask('/quiet'), await world.ask('/a'), await world.ask('/a')];
  t.equal(bytesOf(first), bytesOf(without));
  t.equal(bytesOf(second), bytesOf(without));
}

async function worldWith(t: Test, script: Script, options: WorldOptions = {}): Promise<World> {
  const secondary = await startRawBackend(t, script);
  return startWorld(t, { legacy: fixed, newPort: secondary.port, ...options });
}

/** The first read is told as this failure of the secondary. */
async function expectFailure(
  t: Test,
  world: World,
  failure: Partial<Required<Observation>['failure']>,
): Promise<void> {
  const read = await world.sink.read();
  t.match(read.answers.secondary.failure, failure);
  t.match(read.comparison.differences, [{ path: 'answer', kind: failure.kind ?? /./ }]);
  t.equal(read.secondaryMs, undefined);
  t.ok((read.authoritativeMs ?? 0) > 0);
}

const SHORT = { shadow: { deadlineMs: 100 } };

void t.test('slow: the user has the answer long before', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const world = await startWorld(t, {
    legacy: fixed,
    new: async (_request, response) => {
      await promise;
      response.setHeader('content-type', 'application/json').end(BODY);
    },
  });
  await expectTheSame(t, world);
  t.equal(world.sink.told, 0, 'it is still being asked');
  resolve();
  await world.sink.until(2);
  t.match(world.sink.reads, [{ verdict: 'matched' }, { verdict: 'matched' }]);
});

void t.test('while the user waits for the answer the other side is left alone', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const world = await startWorld(t, {
    legacy: async (_request, response) => {
      response.writeHead(200);
      response.write('begun');
      await promise;
      response.end();
    },
  });
  const asked = world.ask('/a');
  await world.legacy.request(1);
  await world.ask('/quiet', { user: 'nina' });
  t.equal(world.new.requests.length, 1);
  resolve();
  await asked;
  await world.sink.read();
  t.equal(world.new.requests[1]?.url, '/a');
});

void t.test('dead: it refuses connections', async (t) => {
  const world = await startWorld(t, { legacy: fixed, newPort: await refusingPort(t) });
  await expectTheSame(t, world);
  await expectFailure(t, world, { kind: 'error', code: 'backend_refused' });
});

void t.test('hanging: it accepts connections and says nothing', async (t) => {
  const world = await startWorld(t, { legacy: fixed, newPort: await hangingPort(t), ...SHORT });
  await expectTheSame(t, world);
  await expectFailure(t, world, { kind: 'timeout', code: 'deadline' });
});

void t.test('stalled in its body: the deadline is for everything', async (t) => {
  const world = await worldWith(t, stall('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun'), SHORT);
  await expectTheSame(t, world);
  await expectFailure(t, world, { kind: 'timeout', code: 'deadline' });
});

void t.test('garbage instead of HTTP', async (t) => {
  const world = await worldWith(t, garbage());
  await expectTheSame(t, world);
  await expectFailure(t, world, { kind: 'error', code: 'backend_malformed' });
});

void t.test('a reset in the middle of its answer', async (t) => {
  const world = await worldWith(
    t,
    resetAfterBytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun', 46),
  );
  await expectTheSame(t, world);
  await expectFailure(t, world, { kind: 'error', code: 'backend_body_closed' });
});

void t.test('10 MB: no more of it is read than is allowed', async (t) => {
  let written = 0;
  const world = await startWorld(t, {
    legacy: fixed,
    new: (_request, response) => {
      const piece = Buffer.alloc(65_536, 'x');
      let left = 160;
      const more = (): void => {
        for (; left > 0 && !response.destroyed; left -= 1) {
          written += piece.length;
          if (!response.write(piece)) return;
        }
        response.end();
      };
      response.on('drain', more);
      more();
    },
    shadow: { bodyBytesMax: 100_000 },
  });
  await expectTheSame(t, world);
  await world.sink.until(2);
  t.strictSame(world.sink.skips, ['body_too_large', 'body_too_large']);
  await world.new.abandoned();
  t.ok(written < 2 * 10_000_000, `${written} bytes left it`);
});

void t.test(
  '10 MB that are announced: nothing of it is read; without a body they are compared',
  async (t) => {
    const large: Answering = (request, response) => {
      const isBare = request.method === 'HEAD' || request.url === '/304';
      response.writeHead(request.url === '/304' ? 304 : 200, { 'content-length': 10_000_000 });
      if (isBare) response.end();
      else response.flushHeaders();
    };
    const world = await startWorld(t, {
      legacy: (request, response) => {
        if (request.url === '/304') response.writeHead(304);
        response.end();
      },
      new: large,
      shadow: { bodyBytesMax: 100_000 },
    });
    await world.ask('/a');
    t.equal(await world.sink.skip(), 'body_too_large', 'before any of it came');
    await world.new.abandoned();
    await world.ask('/a', { method: 'HEAD' });
    await world.sink.until(2);
    await world.ask('/304');
    await world.sink.until(3);
    t.match(world.sink.reads, [{ verdict: 'matched' }, { verdict: 'matched' }]);
  },
);

void t.test('an answer that says something else reaches no user', async (t) => {
  const world = await startWorld(t, {
    legacy: fixed,
    new: (_request, response) => {
      response.writeHead(500, { 'set-cookie': 'a=1', 'x-from': 'new' });
      response.end('no');
    },
  });
  await expectTheSame(t, world);
  t.match(await world.sink.read(), { comparison: { differences: [{ path: 'status' }] } });
});

void t.test('a connection that was closed while idle is nobody’s failure', async (t) => {
  let left = 1;
  const world = await worldWith(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
      // The next read finds the connection there, and gets no answer on it.
      if (left-- > 0) {
        const { connection } = exchange.request;
        const more = connection.receivedBytes;
        connection.socket.once('data', () => {
          if (connection.receivedBytes > more) connection.socket.resetAndDestroy();
        });
      }
    },
    { legacy: (_request, response) => void response.setHeader('content-type', 'application/json').end('{}') },
  );
  await world.ask('/1');
  await world.sink.read(1);
  await world.ask('/2');
  t.match(await world.sink.read(2), { verdict: 'matched' });
});

void t.test('the breaker opens when most reads fail, and closes when one succeeds', async (t) => {
  let isDown = true;
  const world = await startWorld(t, {
    new: (_request, response) => {
      if (isDown) response.destroy();
      else response.setHeader('content-type', 'application/json').end('{"a":1}');
    },
    shadow: { confirmAfterMs: 600_000 },
    reports: { breakerResetMs: 50 },
  });
  let asked = 0;
  const over = (): number => world.activity().confirmations + world.sink.told;
  while (!world.sink.skips.includes('breaker_open')) {
    asked += 1;
    await world.ask(`/${asked}`);
    while (over() < asked) await new Promise((resolve) => setImmediate(resolve));
    if (asked > 100) throw new Error('it does not open');
  }
  t.ok(asked > 10, 'after ten failures, not before');
  t.ok(world.new.requests.length <= asked);
  isDown = false;
  for (let matched = false; !matched; asked += 1) {
    await world.ask('/later');
    await new Promise((resolve) => setTimeout(resolve, 10));
    matched = world.sink.reads.some(({ verdict }) => verdict === 'matched');
    if (asked > 1_000) throw new Error('it does not close');
  }
  t.pass('it asks again');
});

void t.test('5xx on both sides does not open the breaker', async (t) => {
  const failing: Answering = (_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end('{}');
  };
  const world = await startWorld(t, { legacy: failing, new: failing });
  for (let asked = 1; asked <= 25; asked += 1) {
    await world.ask('/a');
    await world.sink.until(asked);
  }
  t.strictSame(world.sink.skips, []);
});

void t.test('HTTP/2 clients: a read with a body and one without', async (t) => {
  const echo: Answering = async (request, response) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of request) if (Buffer.isBuffer(piece)) pieces.push(piece);
    response.setHeader('content-type', 'text/plain');
    response.end(Buffer.concat(pieces).toString('latin1') || 'nothing');
  };
  const tls = credentialFiles(t, authority.server('127.0.0.1'));
  const world = await startWorld(t, { legacy: echo, new: echo, settings: { listen: { tls } } });
  const session = http2.connect(`https://127.0.0.1:${world.gateway.port}`, { ca: authority.cert });
  t.teardown(() => session.destroy());
  await once(session, 'connect');
  const get = await answerOf(session.request({ ':path': '/a', 'x-user': 'leo', cookie: 'a=1' }));
  t.equal(get.body.toString(), 'nothing');
  const post = session.request({ ':path': '/search', ':method': 'POST', 'x-user': 'leo' });
  post.end('by stream');
  t.equal((await answerOf(post)).body.toString(), 'by stream');
  await world.sink.until(2);
  t.match(world.sink.reads, [
    { verdict: 'matched', request: { method: 'GET', target: '/a' } },
    { verdict: 'matched', request: { method: 'POST' } },
  ]);
  t.strictSame(world.sink.bodies, [
    ['nothing', 'nothing'],
    ['by stream', 'by stream'],
  ]);
  t.match(world.new.requests[0]?.headers, { 'x-forwarded-proto': 'https', cookie: 'a=1' });
});
