/** Which reads are repeated, what goes over the wire, and what is told of them. */
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { compileRules } from '../../src/comparison/compile-rules.ts';
import type { SeenRequest } from '../harness/backend.ts';
import { type Answering, json, startWorld } from './shadow-world.ts';

t.jobs = 2;

void t.test('a read of a user at shadow is repeated on new, and told as matched', async (t) => {
  const world = await startWorld(t);
  const answer = await world.ask('/a?b=1');
  t.equal(answer.body.toString(), '{"a":1}');
  const read = await world.sink.read();
  t.match(read, {
    route: 'all',
    cohort: 'careful',
    user: 'leo',
    authoritative: 'legacy',
    verdict: 'matched',
    request: { method: 'GET', target: '/a?b=1' },
    answers: { authoritative: { status: 200 }, secondary: { status: 200 } },
    comparison: { verdict: 'matched', differences: [] },
  });
  t.ok((read.authoritativeMs ?? 0) > 0);
  t.ok((read.secondaryMs ?? 0) > 0);
  t.ok(Object.isFrozen(read));
  t.strictSame(world.sink.bodies, [['{"a":1}', '{"a":1}']]);
  t.equal(world.legacy.requests.length, 1);
  t.equal(world.new.requests.length, 1);
});

void t.test('a read of a user at live is repeated on legacy', async (t) => {
  const world = await startWorld(t, { legacy: json({ from: 'legacy' }), new: json({ from: 'new' }) });
  const answer = await world.ask('/a', { user: 'nina' });
  t.equal(answer.body.toString(), '{"from":"new"}');
  const read = await world.sink.read();
  t.match(read, { authoritative: 'new', verdict: 'confirmed', cohort: 'movers' });
  t.match(read.comparison.differences, [
    { path: '$.from', left: { value: 'new' }, right: { value: 'legacy' } },
  ]);
});

void t.test('nothing else is repeated', async (t) => {
  const world = await startWorld(t);
  await world.ask('/a', { user: 'otto' });
  await world.ask('/a', { method: 'POST', body: '{}' });
  await world.ask('/a', { method: 'DELETE' });
  await world.ask('/changing');
  await world.ask('/quiet');
  await world.ask('/last');
  await world.sink.read();
  t.strictSame(
    world.new.requests.map(({ method, url }) => [method, url]),
    [['GET', '/last']],
  );
  t.equal(world.sink.told, 1);
});

void t.test('a sample of 0.5 repeats every read that chance takes', async (t) => {
  const chances = [0.6, 0.4, 0.9];
  const world = await startWorld(t, {
    route: { shadow: { sample: 0.5 } },
    // Each chosen read asks for chance a second time: whether it is for noise.
    reports: { random: () => chances.shift() ?? 0.99 },
  });
  await world.ask('/1');
  await world.ask('/2');
  await world.sink.read();
  t.strictSame(
    world.new.requests.map(({ url }) => url),
    ['/2'],
  );
});

function headersOf(seen: SeenRequest | undefined, without: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < (seen?.rawHeaders.length ?? 0); i += 2) {
    const name = seen?.rawHeaders[i] ?? '';
    if (!without.includes(name.toLowerCase())) lines.push(`${name}: ${seen?.rawHeaders[i + 1]}`);
  }
  return lines;
}

void t.test('the copy carries what the forwarder would send, a mark, and an id of its own', async (t) => {
  const world = await startWorld(t);
  await world.ask('/a', {
    headers:
      'X-Request-Id: mine\r\nAccept-Encoding: gzip, br\r\nIf-None-Match: "v1"\r\nRange: bytes=0-9\r\nX-Odd-CASE: 1\r\n' +
      'Authorization: Bearer t\r\nX-Turnout-Shadow: 9\r\nX-Turnout-Shadow-Of: forged\r\nTraceparent: 00-' +
      `${'a'.repeat(32)}-${'b'.repeat(16)}-01\r\n`,
  });
  await world.sink.read();
  const own = ['host', 'x-request-id', 'connection', 'x-turnout-shadow', 'x-turnout-shadow-of'];
  t.strictSame(headersOf(world.new.requests[0], own), headersOf(world.legacy.requests[0], own));
  const { headers = {} } = world.new.requests[0] ?? {};
  t.match(headers, {
    host: 'shop.test',
    'x-turnout-shadow': '1',
    'x-turnout-shadow-of': 'mine',
    'accept-encoding': 'gzip, br',
    'if-none-match': '"v1"',
    range: 'bytes=0-9',
    authorization: 'Bearer t',
  });
  t.match(headers['x-request-id'], /^[0-9a-f]{24}$/);
  t.equal(world.legacy.requests[0]?.headers['x-turnout-shadow'], undefined);
  t.equal(world.legacy.requests[0]?.headers['x-turnout-shadow-of'], undefined);
});

void t.test('credentials are in nothing that is told', async (t) => {
  const secret = 's3cr3t-value';
  const world = await startWorld(t, {
    route: { shadow: { sample: 1, compare: { headers: ['set-cookie', 'x-mark'] } } },
    legacy: json({ a: 1 }, { 'set-cookie': `sid=${secret}-1`, 'x-mark': 'l' }),
    new: json({ a: 1 }, { 'set-cookie': `sid=${secret}-2`, 'x-mark': 'n' }),
  });
  await world.ask(`/a?access_token=${secret}&q=1`, {
    headers:
      `Authorization: Bearer ${secret}\r\nCookie: uid=${secret}\r\nX-Api-Key: ${secret}\r\n` +
      `X-Session-Token: ${secret}\r\nX-CSRF: ${secret}\r\nX-Plain: kept\r\n`,
  });
  const read = await world.sink.read();
  t.notMatch(JSON.stringify(read), secret);
  t.equal(read.request.target, '/a?access_token=redacted&q=1');
  t.ok(read.request.headers.includes('kept'));
  t.strictSame(
    read.comparison.differences.map(({ path }) => path),
    ['header.set-cookie', 'header.x-mark'],
  );
  t.match(world.new.requests[0]?.headers.authorization, secret, 'the backend got them');
  t.match(world.new.requests[0]?.url, secret);
});

void t.test('a read with a body is repeated with it, small or large, announced or chunked', async (t) => {
  const echo: Answering = async (request, response) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of request) if (Buffer.isBuffer(piece)) pieces.push(piece);
    response.setHeader('content-type', 'text/plain');
    response.end(Buffer.concat(pieces));
  };
  const world = await startWorld(t, { legacy: echo, new: echo });
  const large = 'x'.repeat(200_000);
  await world.ask('/search', { method: 'POST', body: '{"q":1}' });
  await world.ask('/search', { method: 'POST', body: large });
  const client = await world.gateway.connect();
  await client.request(
    'POST /search HTTP/1.1\r\nHost: a\r\nX-User: leo\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  );
  client.finish();
  await world.sink.until(3);
  t.strictSame(world.sink.skips, []);
  t.same(
    world.sink.reads.map(({ verdict }) => verdict),
    ['matched', 'matched', 'matched'],
  );
  t.strictSame(world.sink.bodies, [
    ['{"q":1}', '{"q":1}'],
    [large, large],
    ['abcde', 'abcde'],
  ]);
});

void t.test('HEAD is compared by its head, 304 with its own', async (t) => {
  const world = await startWorld(t, {
    legacy: (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"v"' ? 304 : 200, { etag: '"v"' });
      response.end(request.method === 'HEAD' ? undefined : '');
    },
    new: (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"v"' ? 304 : 200, { etag: '"v"' });
      response.end();
    },
  });
  await world.ask('/a', { method: 'HEAD' });
  t.match(await world.sink.read(1), { verdict: 'matched', answers: { secondary: { status: 200 } } });
  await world.ask('/a', { headers: 'If-None-Match: "v"\r\n' });
  t.match(await world.sink.read(2), { verdict: 'matched', answers: { secondary: { status: 304 } } });
});

void t.test(
  'encoded answers are compared by what is in them, and reach the client as they were',
  async (t) => {
    const encoded = gzipSync('{"a":1,"b":2}');
    const world = await startWorld(t, {
      legacy: (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
        response.end(encoded);
      },
      new: json({ b: 2, a: 1 }),
    });
    const answer = await world.ask('/a', { headers: 'Accept-Encoding: gzip\r\n' });
    t.strictSame(answer.body, encoded);
    t.match(await world.sink.read(), { verdict: 'matched' });
  },
);

void t.test('an answer of many pieces is kept whole', async (t) => {
  const piece = 'abcdefgh'.repeat(10);
  const text = JSON.stringify(piece.repeat(300));
  const world = await startWorld(t, {
    legacy: async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let at = 0; at < text.length; at += 80) {
        response.write(text.slice(at, at + 80));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    },
    new: (_request, response) => void response.setHeader('content-type', 'application/json').end(text),
  });
  t.equal((await world.ask('/a')).body.toString(), text);
  t.match(await world.sink.read(), { verdict: 'matched' });
  t.strictSame(world.sink.bodies, [[text, text]]);
});

void t.test('the rules of the route are kept, those of the reports come before them', async (t) => {
  const { rules } = compileRules({ ignore: ['$.b'] });
  const runTime: { rules: typeof rules } = { rules: undefined };
  const world = await startWorld(t, {
    route: { shadow: { sample: 1, compare: { ignore: ['$.a'] } } },
    legacy: json({ a: 1, b: 1 }),
    new: json({ a: 2, b: 1 }),
    reports: { rules: { rulesOf: () => runTime.rules } },
  });
  await world.ask('/a');
  t.match(await world.sink.read(1), { verdict: 'matched', comparison: { verdict: 'ignored' } });
  runTime.rules = rules;
  await world.ask('/a');
  t.match(await world.sink.read(2), { verdict: 'confirmed' });
});

void t.test('a share of the reads asks the same side again: what differs there is noise', async (t) => {
  let at = 0;
  const world = await startWorld(t, {
    shadow: { noiseSample: 1 },
    legacy: (_request, response) => {
      at += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ at }));
    },
  });
  const answer = await world.ask('/a');
  t.equal(answer.body.toString(), '{"at":1}');
  await world.sink.until(1);
  t.match(world.sink.noises, [
    { route: 'all', cohort: 'careful', comparison: { differences: [{ path: '$.at', kind: 'value' }] } },
  ]);
  t.equal(world.new.requests.length, 0);
  t.equal(world.legacy.requests[1]?.headers['x-turnout-shadow'], '1');
});

void t.test('what is told is counted', async (t) => {
  const world = await startWorld(t);
  await world.ask('/a');
  await world.sink.read();
  const metrics = await world.gateway.telemetry.metrics();
  t.match(metrics, 'turnout_shadow_reads_total{route="all",cohort="careful",verdict="matched"} 1');
});
