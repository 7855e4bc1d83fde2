import t, { type Test } from 'tap';
import type { Backend } from '../../src/model.ts';
import { onBothBackends } from '../harness/gateway.ts';
import { type Exchange, okAnswer, type Script } from '../harness/raw-backend.ts';
import { chunked, startWire, type Wire, type WireOptions } from '../harness/wire.ts';

t.jobs = 8;

/**
 * A wire whose first connection has served one request and meets the next one with `fault`; every further
 * connection answers.
 */
async function startStale(t: Test, side: Backend, fault: Script, options: WireOptions = {}): Promise<Wire> {
  const script = async (exchange: Exchange): Promise<void> => {
    const { connection } = exchange.request;
    if (connection.requests.length === 2 && wire.backend.connections[0] === connection) {
      await fault(exchange);
      return;
    }
    await exchange.body();
    await exchange.send(okAnswer(`connection ${wire.backend.connections.indexOf(connection) + 1}`));
  };
  const wire = await startWire(t, side, script, options);
  t.equal((await wire.request()).body.toString(), 'connection 1');
  return wire;
}

/** The backend closed the idle connection while the request was on its way: it reads it and says nothing. */
const staleReset: Script = (exchange) => exchange.abort();
const staleClose: Script = (exchange) => exchange.finish();

async function retries(wire: Wire, side: Backend): Promise<number> {
  for (const family of await wire.gateway.telemetry.families()) {
    if (!family.name.includes('retr') || family.kind !== 'plain') continue;
    const sample = family.samples.find(({ labels }) => labels['backend'] === side);
    return sample?.value ?? 0;
  }
  return -1;
}

onBothBackends(t, 'an idempotent request is sent once more after a stale connection', async (t, side) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']) {
    for (const fault of [staleReset, staleClose]) {
      const wire = await startStale(t, side, fault);
      const answer = await wire.request({ method });
      t.equal(answer.status, 200, method);
      t.equal(wire.backend.requests.length, 3, `${method}: the first, the stale one, its repetition`);
      t.equal(await retries(wire, side), 1);
    }
  }
});

onBothBackends(t, 'a request that is not idempotent is never sent twice', async (t, side) => {
  for (const method of ['POST', 'PATCH', 'PURGE', 'LOCK', 'MKCOL']) {
    const wire = await startStale(t, side, staleReset);
    const answer = await wire.request({ method });
    t.equal(answer.status, 502, method);
    t.equal(JSON.parse(answer.body.toString()).code, 'backend_closed');
    t.equal(wire.backend.requests.length, 2, method);
    t.equal(await retries(wire, side), 0);
  }
});

onBothBackends(t, 'a request with a body is never sent twice', async (t, side) => {
  for (const [headers, body] of [
    ['Content-Length: 3\r\n', 'abc'],
    ['Transfer-Encoding: chunked\r\n', chunked(['abc'])],
  ] as const) {
    const wire = await startStale(t, side, staleReset);
    const answer = await wire.request({ method: 'PUT', headers, body });
    t.equal(answer.status, 502);
    t.equal(wire.backend.requests.length, 2);
  }
});

onBothBackends(t, 'a GET that changes things is never sent twice', async (t, side) => {
  const wire = await startStale(t, side, staleReset, {
    settings: { routes: [{ match: '/*', class: 'write' }] },
  });
  t.equal((await wire.request({ target: '/buy' })).status, 502);
  t.equal(wire.backend.requests.length, 2);
});

onBothBackends(t, 'a failure on a fresh connection is not repeated', async (t, side) => {
  for (const fault of [staleReset, staleClose]) {
    const wire = await startWire(t, side, fault);
    t.equal((await wire.request()).status, 502);
    t.equal(wire.backend.requests.length, 1);
  }
});

onBothBackends(t, 'an answer that has begun is not repeated', async (t, side) => {
  for (const begun of ['HTTP/1.1 200', 'HTTP/1.1 200 OK\r\nA: b\r\n', 'HTTP/1.1 103 Early Hints\r\n\r\n']) {
    const wire = await startStale(t, side, async (exchange) => {
      await exchange.send(begun);
      exchange.abort();
    });
    const client = await wire.gateway.connect();
    await client.send(wire.text());
    const { head } = await client.finalHead();
    t.equal(head.status, 502, JSON.stringify(begun));
    t.equal(wire.backend.requests.length, 2);
  }
});

onBothBackends(t, 'a slow answer on a reused connection is not repeated', async (t, side) => {
  const wire = await startStale(
    t,
    side,
    async (exchange) => {
      await exchange.gone;
    },
    { backendSettings: { headersMs: 800 } },
  );
  t.equal((await wire.request()).status, 504);
  t.equal(wire.backend.requests.length, 2);
});

onBothBackends(t, 'a repetition that fails is the end', async (t, side) => {
  const wire = await startStale(t, side, staleReset);
  const first = wire.backend.connections[0];
  const script = wire.backend.script;
  wire.backend.script = async (exchange) => {
    if (exchange.request.connection === first) await script(exchange);
    else exchange.abort();
  };
  t.equal((await wire.request()).status, 502);
  t.equal(wire.backend.requests.length, 3);
});

onBothBackends(t, 'error answers are answers: none is asked for twice', async (t, side) => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send(`HTTP/1.1 ${status} No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n`);
    });
    const answer = await wire.request();
    t.equal(answer.status, status);
    t.equal(wire.backend.requests.length, 1, String(status));
  }
});

onBothBackends(t, 'a connection that the backend closed while idle is not used', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(okAnswer());
    exchange.finish();
  });
  const client = await wire.gateway.connect();
  for (let round = 1; round <= 3; round += 1) {
    t.equal((await client.request(wire.text({ method: 'POST' }))).status, 200);
    await (await wire.backend.connection(round)).gone;
  }
  t.equal(wire.backend.requests.length, 3);
});
