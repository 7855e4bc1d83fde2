import t, { type Test } from 'tap';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import type { Backend } from '../../src/model.ts';
import { closeBeforeHead } from '../faults/close-before-head.ts';
import { CUT_ANSWERS, closeInBody } from '../faults/close-in-body.ts';
import { closeInHead } from '../faults/close-in-head.ts';
import { garbage } from '../faults/garbage.ts';
import { unacceptingPort } from '../faults/never-accept.ts';
import { refusingPort } from '../faults/refuse.ts';
import { resetAfterBytes } from '../faults/reset-after-bytes.ts';
import { slowHeaders } from '../faults/slow-headers.ts';
import { stall } from '../faults/stall.ts';
import { stopReading } from '../faults/stop-reading.ts';
import { trickle } from '../faults/trickle.ts';
import { AS_USER_OF, onBothBackends, startGateway } from '../harness/gateway.ts';
import { okAnswer, type Script, startRawBackend } from '../harness/raw-backend.ts';
import type { RawAnswer } from '../harness/raw-client.ts';
import { chunked, startWire, type WireOptions } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

/** The answer is the problem document of this code, by the table of errors. */
function isProblem(t: Test, answer: RawAnswer, code: ErrorCode): void {
  const row = ERRORS[code];
  t.equal(answer.status, row.status, code);
  t.equal(answer.head.value('content-type'), 'application/problem+json');
  const document: unknown = JSON.parse(answer.body.toString());
  t.match(document, {
    title: row.title,
    status: row.status,
    detail: String,
    code,
    requestId: String,
    type: /^urn:|^http/,
  });
  t.equal(Number(answer.head.value('content-length')), answer.body.length);
  t.equal(answer.head.value('retry-after'), 'retryAfterS' in row ? String(row.retryAfterS) : undefined);
}

interface Case extends WireOptions {
  readonly method?: string;
  readonly headers?: string;
  readonly body?: string;
}

/** One request meets this backend, once, and fails with this code, counted at this side. */
async function failsWith(
  t: Test,
  side: Backend,
  script: Script,
  code: ErrorCode,
  options: Case = {},
): Promise<void> {
  const wire = await startWire(t, side, script, options);
  const client = await wire.gateway.connect();
  await client.send(wire.text(options));
  isProblem(t, await client.answer(options.method), code);
  await wire.gateway.ended(code, side);
  t.equal(await wire.gateway.failures(code), 1);
  t.equal(wire.backend.requests.length, 1, 'nothing is sent twice');
  // The failed connection is not used again; the gateway itself goes on.
  wire.backend.script = async (exchange) => {
    await exchange.body();
    await exchange.send(okAnswer('again'));
  };
  t.equal((await wire.request()).body.toString(), 'again');
}

const BEFORE_THE_HEAD: readonly [string, () => Script, ErrorCode][] = [
  ['closes before the head', closeBeforeHead, 'backend_closed'],
  ['resets before the head', () => resetAfterBytes('', 0), 'backend_closed'],
  ['closes inside the head', closeInHead, 'backend_closed'],
  ['resets inside the head', () => resetAfterBytes(okAnswer(), 20), 'backend_closed'],
  [
    'closes after an interim answer',
    () => resetAfterBytes('HTTP/1.1 103 Early Hints\r\n\r\n', 30),
    'backend_closed',
  ],
  ['answers with garbage', garbage, 'backend_malformed'],
];

/** The ways that a request can take through the gateway. */
const WAYS: readonly (readonly [string, Case])[] = [
  ['a GET', {}],
  ['a POST', { method: 'POST', headers: 'Content-Length: 3\r\n', body: 'abc' }],
  [
    'a POST with trailers',
    {
      method: 'POST',
      headers: 'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n',
      body: chunked(['abc'], 'X-Sum: 3\r\n'),
    },
  ],
];

/** Takes the whole request first, so that it is the answer that fails. */
function afterBody(script: Script): Script {
  return async (exchange) => {
    await exchange.body();
    await script(exchange);
  };
}

for (const [way, parts] of WAYS) {
  for (const [what, script, code] of BEFORE_THE_HEAD) {
    onBothBackends(t, `a backend that ${what} of ${way} is answered ${ERRORS[code].status}`, (t, side) =>
      failsWith(t, side, afterBody(script()), code, parts),
    );
  }
  onBothBackends(t, `a backend that sends no head to ${way} in time is answered 504`, (t, side) =>
    failsWith(t, side, afterBody(stall()), 'backend_headers_timeout', {
      ...parts,
      backendSettings: { headersMs: 600 },
    }),
  );
}

onBothBackends(t, 'a backend whose head does not end in time is answered 504', (t, side) =>
  failsWith(t, side, slowHeaders(50), 'backend_headers_timeout', { backendSettings: { headersMs: 600 } }),
);

onBothBackends(t, 'a backend that stops reading an upload is answered 504', async (t, side) => {
  const size = 64 * 1024 * 1024;
  for (const headers of [
    `Content-Length: ${size}\r\n`,
    `Content-Length: ${size}\r\nExpect: 100-continue\r\n`,
  ]) {
    const wire = await startWire(t, side, stopReading(), { backendSettings: { bodyMs: 500 } });
    const client = await wire.gateway.connect();
    await client.send(wire.text({ method: 'POST', headers }));
    void client.send(Buffer.alloc(size));
    isProblem(t, await client.answer('POST'), 'backend_upload_stalled');
    await wire.gateway.ended('backend_upload_stalled', side);
    (await wire.backend.connection()).socket.destroy();
  }
});

onBothBackends(t, 'a client that stops sending its upload is answered 408', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      await exchange.body();
    },
    { backendSettings: { bodyMs: 200 } },
  );
  const uploads = [
    { headers: 'Content-Length: 10\r\n', body: 'half' },
    { headers: 'Transfer-Encoding: chunked\r\n', body: '4\r\nhalf\r\n' },
    { headers: 'Content-Length: 10\r\n', body: '' },
    { headers: 'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n', body: '4\r\nhalf\r\n' },
  ];
  await Promise.all(
    uploads.map(async (parts) => {
      const client = await wire.gateway.connect();
      await client.send(wire.text({ method: 'POST', ...parts }));
      isProblem(t, await client.answer('POST'), 'request_body_stalled');
      await client.closed;
    }),
  );
  await wire.gateway.ended('request_body_stalled', side, uploads.length);
  for (const connection of wire.backend.connections) await connection.gone;
  for (const { body } of wire.backend.requests) t.not(body.state, 'complete');
});

onBothBackends(t, 'an upload that moves slowly is not a stall', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      await exchange.body();
      await exchange.send(okAnswer());
    },
    { backendSettings: { bodyMs: 1_000, headersMs: 1_000 } },
  );
  const client = await wire.gateway.connect();
  await client.send(wire.text({ method: 'POST', headers: 'Content-Length: 20\r\n' }));
  await trickle(client, 'x'.repeat(20), 80, client.closed);
  t.equal((await client.answer('POST')).status, 200);
});

const AFTER_THE_HEAD: readonly [string, () => Script, ErrorCode][] = [
  ['closes inside a sized body', () => closeInBody('length'), 'backend_body_closed'],
  ['closes inside a chunked body', () => closeInBody('chunked'), 'backend_body_closed'],
  [
    'resets inside a sized body',
    () => resetAfterBytes(CUT_ANSWERS.length, CUT_ANSWERS.length.length),
    'backend_body_closed',
  ],
  [
    'resets inside a chunked body',
    () => resetAfterBytes(CUT_ANSWERS.chunked, CUT_ANSWERS.chunked.length),
    'backend_body_closed',
  ],
  ['stops inside a sized body', () => stall(CUT_ANSWERS.length), 'backend_body_stalled'],
  ['stops inside a chunked body', () => stall(CUT_ANSWERS.chunked), 'backend_body_stalled'],
];

for (const [what, script, code] of AFTER_THE_HEAD) {
  onBothBackends(t, `an answer of a backend that ${what} does not look whole`, async (t, side) => {
    for (const [way, parts] of WAYS) {
      const options = code === 'backend_body_stalled' ? { backendSettings: { bodyMs: 400 } } : {};
      const wire = await startWire(t, side, afterBody(script()), options);
      const answer = await wire.request(parts);
      t.strictSame([answer.status, answer.ending], [200, 'cut'], way);
      await wire.gateway.ended(code, side);
      t.equal(await wire.gateway.failures(code), 1);
      t.equal(wire.backend.requests.length, 1);
      await (await wire.backend.connection()).gone;
    }
  });

  if (what.includes('sized')) continue;
  onBothBackends(t, `an HTTP/1.0 client of a backend that ${what} is not told the end`, async (t, side) => {
    const options = code === 'backend_body_stalled' ? { backendSettings: { bodyMs: 400 } } : {};
    const wire = await startWire(t, side, script(), options);
    const client = await wire.gateway.connect();
    const answer = await client.request(`GET / HTTP/1.0\r\nHost: shop.test\r\n${AS_USER_OF[side]}\r\n`);
    t.strictSame(
      [answer.status, answer.ending],
      [200, 'cut'],
      'where the end is the framing, only a reset says cut',
    );
  });
}

onBothBackends(t, 'a body that moves slowly is not a stall', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
      await trickle(exchange, 'x'.repeat(20), 80, exchange.gone);
    },
    { backendSettings: { bodyMs: 1_000, headersMs: 1_000 } },
  );
  t.equal((await wire.request()).body.length, 20);
});

onBothBackends(t, 'a client that stops taking its answer is cut, and so is the backend', async (t, side) => {
  const wire = await startWire(
    t,
    side,
    async (exchange) => {
      await exchange.send(okAnswer('x'.repeat(32 * 1024 * 1024)));
      await exchange.gone;
    },
    { backendSettings: { bodyMs: 300 } },
  );
  const client = await wire.gateway.connect();
  client.pause();
  await client.send(wire.text());
  await within((await wire.backend.connection()).gone, 'the end of the backend’s request');
  await wire.gateway.ended('client_stalled', side);
  client.resume();
  t.equal((await client.answer()).ending, 'cut');
});

async function againstPort(
  t: Test,
  side: Backend,
  port: number | string,
  settings = {},
): Promise<RawAnswer & { ms: number }> {
  const other = await startRawBackend(t);
  const backends = side === 'legacy' ? { legacy: port, new: other.port } : { legacy: other.port, new: port };
  const gateway = await startGateway(t, { backends, backendSettings: settings });
  const client = await gateway.connect();
  const startedMs = performance.now();
  const answer = await client.request(`GET / HTTP/1.1\r\nHost: shop.test\r\n${AS_USER_OF[side]}\r\n`);
  const ms = performance.now() - startedMs;
  const code: ErrorCode = JSON.parse(answer.body.toString()).code;
  await gateway.ended(code, side);
  t.equal(await gateway.failures(code), 1);
  t.equal(other.connections.length, 0, 'no other backend is asked instead');
  return { ...answer, ms };
}

onBothBackends(t, 'connection refused answers 502 and counts a connect error', async (t, side) => {
  isProblem(t, await againstPort(t, side, await refusingPort(t)), 'backend_refused');
});

onBothBackends(t, 'a host that does not exist answers 502', async (t, side) => {
  // A label that is too long fails without asking any server.
  isProblem(
    t,
    await againstPort(t, side, `http://${'x'.repeat(64)}.invalid`, { connectMs: 4_000 }),
    'backend_refused',
  );
});

onBothBackends(t, 'a connect that does not come to an end answers 504', async (t, side) => {
  const port = await unacceptingPort(t);
  isProblem(t, await againstPort(t, side, port, { connectMs: 200 }), 'backend_connect_timeout');
});

onBothBackends(t, 'a request that waits too long for a free connection is answered 504', async (t, side) => {
  const wire = await startWire(t, side, stall(), { backendSettings: { connectionsMax: 1, connectMs: 600 } });
  const first = await wire.gateway.connect();
  await first.send(wire.text());
  await wire.backend.request();
  isProblem(t, await wire.request(), 'backend_connect_timeout');
  t.equal(wire.backend.connections.length, 1);
});

onBothBackends(t, 'requests that gave up waiting cost no connection', async (t, side) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const script: Script = async (exchange) => {
    if (exchange.request.target === '/first') await promise;
    await exchange.send(okAnswer());
  };
  const wire = await startWire(t, side, script, { backendSettings: { connectionsMax: 1, connectMs: 300 } });
  const first = await wire.gateway.connect();
  await first.send(wire.text({ target: '/first' }));
  await wire.backend.request();
  const given = await Promise.all(Array.from({ length: 5 }, () => wire.request({ target: '/given-up' })));
  for (const answer of given) isProblem(t, answer, 'backend_connect_timeout');
  resolve();
  t.equal((await first.answer()).status, 200);
  t.equal((await wire.request({ target: '/last' })).status, 200);
  t.equal(wire.backend.connections.length, 1, 'the same connection');
  t.strictSame(
    wire.backend.requests.map(({ target }) => target),
    ['/first', '/last'],
  );
});

onBothBackends(
  t,
  'those that wait for a connection are served in the order in which they came',
  async (t, side) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const script: Script = async (exchange) => {
      await promise;
      await exchange.send(okAnswer());
    };
    const backendSettings = { connectionsMax: 1, connectMs: 60_000 };
    const wire = await startWire(t, side, script, { backendSettings });
    const clients = [];
    for (let n = 0; n < 4; n += 1) {
      const client = await wire.gateway.connect();
      await client.send(wire.text({ target: `/${n}` }));
      clients.push(client);
      // The gateway has taken what came before a request that it answers itself.
      if (n === 0) await wire.backend.request();
      else t.equal((await (await wire.gateway.connect()).request('GET / HTTP/1.1\r\n\r\n')).status, 400);
    }
    resolve();
    for (const client of clients) t.equal((await client.answer()).status, 200);
    t.strictSame(
      wire.backend.requests.map(({ target }) => target),
      ['/0', '/1', '/2', '/3'],
    );
  },
);

onBothBackends(t, 'a request over the queue’s bound is answered 503 at once', async (t, side) => {
  const wire = await startWire(t, side, stall(), {
    backendSettings: { connectionsMax: 1, queueMax: 1, connectMs: 60_000 },
  });
  const answers = Array.from({ length: 3 }, async () => {
    const client = await wire.gateway.connect();
    return client.request(wire.text());
  });
  // One is at the backend, one waits; which of them the third is, is no matter.
  for (const answer of answers) answer.catch(() => undefined);
  const answer = await Promise.race(answers);
  isProblem(t, answer, 'backend_overloaded');
});

onBothBackends(t, 'the bound of the queue counts requests that expect a 100 too', async (t, side) => {
  const wire = await startWire(t, side, stall(), {
    backendSettings: { connectionsMax: 1, queueMax: 1, connectMs: 60_000 },
  });
  const answers = Array.from({ length: 3 }, async () => {
    const client = await wire.gateway.connect();
    const headers = 'Expect: 100-continue\r\nContent-Length: 1\r\n';
    return client.request(wire.text({ method: 'POST', headers, body: 'x' }));
  });
  for (const answer of answers) answer.catch(() => undefined);
  isProblem(t, await Promise.race(answers), 'backend_overloaded');
});
