import net from 'node:net';
import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { okAnswer } from '../harness/raw-backend.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

const GRACE = { graceMs: 10_000 };

async function connectionRefused(wire: Wire): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = net.connect(wire.gateway.port, '127.0.0.1', () => {
    resolve(false);
  });
  socket.once('error', () => {
    resolve(true);
  });
  const refused = await promise;
  socket.destroy();
  return refused;
}

onBothBackends(
  t,
  'requests in flight end whole, and their connections are closed behind them',
  async (t, side) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      if (exchange.request.target === '/begun') await exchange.send('5\r\nbegun\r\n');
      await promise;
      await exchange.body();
      await exchange.send('4\r\ndone\r\n0\r\n\r\n');
    });
    const waiting = await wire.gateway.connect();
    await waiting.send(wire.text({ target: '/waiting' }));
    const begun = await wire.gateway.connect();
    await begun.send(wire.text({ target: '/begun' }));
    const head = await begun.nextHead();
    const upload = await wire.gateway.connect();
    await upload.send(wire.text({ method: 'POST', headers: 'Content-Length: 6\r\n', body: 'hal' }));
    await wire.backend.request(3);
    const closed = wire.gateway.gateway.close(GRACE);
    t.ok(await connectionRefused(wire), 'new connections are refused');
    await upload.send('ves');
    resolve();
    t.strictSame([(await waiting.answer()).body.toString(), await waiting.closed], ['done', 'fin']);
    t.strictSame([(await head.body.all()).toString(), head.body.state], ['begundone', 'complete']);
    t.equal(await begun.closed, 'fin');
    t.strictSame([(await upload.answer('POST')).body.toString(), await upload.closed], ['done', 'fin']);
    t.same(await within(closed, 'the close'), { cut: 0 });
    await wire.backend.abandoned();
  },
);

onBothBackends(
  t,
  'an idle connection is closed, and a connection that has said nothing too',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    const idle = await wire.gateway.connect();
    await idle.request(wire.text());
    const silent = await wire.gateway.connect();
    const closed = wire.gateway.gateway.close(GRACE);
    t.match(await within(idle.closed, 'the end of the idle connection'), /fin|reset/);
    t.match(await within(silent.closed, 'the end of the silent connection'), /fin|reset/);
    await within(closed, 'the close');
  },
);

onBothBackends(
  t,
  'a request that was on its way when the close began is served, and told to close',
  async (t, side) => {
    const wire = await startWire(t, side, undefined);
    const client = await wire.gateway.connect();
    const first = await client.request(wire.text());
    t.notMatch(first.head.values('connection').join(), /close/i);
    const closed = wire.gateway.gateway.close(GRACE);
    const last = await client.request(wire.text());
    t.strictSame([last.status, last.head.value('connection')?.toLowerCase()], [200, 'close']);
    t.equal(await client.closed, 'fin');
    t.same(await within(closed, 'the close'), { cut: 0 });
  },
);

onBothBackends(t, 'what is left when the grace is over is cut, and counted', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
    await exchange.gone;
  });
  const clients = [];
  for (let index = 0; index < 3; index += 1) {
    const client = await wire.gateway.connect();
    await client.send(wire.text());
    clients.push({ client, head: await client.nextHead() });
  }
  t.same(await within(wire.gateway.gateway.close({ graceMs: 100 }), 'the close'), { cut: 3 });
  for (const { head } of clients) {
    await head.body.drain();
    t.equal(head.body.state, 'cut');
  }
  for (const connection of wire.backend.connections) await connection.gone;
});

onBothBackends(t, 'a tunnel is cut when the grace is over', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    );
    await exchange.gone;
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text({ headers: 'Connection: Upgrade\r\nUpgrade: websocket\r\n' }));
  t.equal((await client.nextHead()).status, 101);
  await within(wire.gateway.gateway.close({ graceMs: 100 }), 'the close');
  await within(client.closed, 'the end of the tunnel');
  await within((await wire.backend.connection()).gone, 'the end of the tunnel at the backend');
});

onBothBackends(t, 'answers under load are all whole while the gateway closes', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send(okAnswer('x'.repeat(20_000)));
  });
  let whole = 0;
  let cut = 0;
  const { promise: busy, resolve } = Promise.withResolvers<void>();
  const loops = Array.from({ length: 20 }, async () => {
    const client = await wire.gateway.connect();
    for (let round = 0; ; round += 1) {
      const answer = await client.request(wire.text()).catch(() => undefined);
      // The connection ended between two answers: that is what a close looks like to an idle client.
      if (answer === undefined) return;
      if (answer.ending === 'complete' && answer.body.length === 20_000) whole += 1;
      else cut += 1;
      if (round === 5) resolve();
      if (/close/i.test(answer.head.values('connection').join())) return;
    }
  });
  await busy;
  const closed = wire.gateway.gateway.close(GRACE);
  await within(Promise.all(loops), 'the end of every client');
  t.same(await within(closed, 'the close'), { cut: 0 });
  t.equal(cut, 0);
  t.equal(wire.backend.requests.length, whole, 'every request that reached the backend was answered whole');
});
