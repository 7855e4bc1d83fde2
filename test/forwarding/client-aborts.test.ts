import t from 'tap';
import { stall } from '../faults/stall.ts';
import { onBothBackends } from '../harness/gateway.ts';
import type { RawClient } from '../harness/raw-client.ts';
import { startWire, type Wire } from '../harness/wire.ts';
import { within } from '../harness/within.ts';

t.jobs = 8;

/** The gateway is to end the backend's request at once; the bound only decides how long a failure takes. */
async function abandoned(wire: Wire): Promise<void> {
  const connection = await wire.backend.connection();
  await within(connection.gone, 'the end of the backend’s request', 2_000);
}

const LEAVE: readonly [string, (client: RawClient) => void][] = [
  ['resets', (client) => client.abort()],
  ['closes', (client) => client.socket.destroy()],
];

for (const [how, leave] of LEAVE) {
  onBothBackends(t, `a client that ${how} before the head ends the backend’s request`, async (t, side) => {
    const wire = await startWire(t, side, stall());
    const client = await wire.gateway.connect();
    await client.send(wire.text());
    await wire.backend.request();
    leave(client);
    await abandoned(wire);
    await wire.gateway.ended('client_closed', side);
    t.equal(wire.backend.requests.length, 1);
  });

  onBothBackends(t, `a client that ${how} in a sized upload ends the backend’s request`, async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.body();
    });
    const client = await wire.gateway.connect();
    await client.send(
      wire.text({ method: 'POST', headers: 'Content-Length: 1000\r\n', body: 'x'.repeat(500) }),
    );
    const request = await wire.backend.request();
    leave(client);
    await abandoned(wire);
    await wire.gateway.ended('client_closed_upload', side);
    t.not(request.body.state, 'complete');
  });

  onBothBackends(
    t,
    `a client that ${how} in a chunked upload ends the backend’s request`,
    async (t, side) => {
      const wire = await startWire(t, side, async (exchange) => {
        await exchange.body();
      });
      const client = await wire.gateway.connect();
      await client.send(
        wire.text({ method: 'POST', headers: 'Transfer-Encoding: chunked\r\n', body: '3\r\nabc\r\n' }),
      );
      const request = await wire.backend.request();
      leave(client);
      await abandoned(wire);
      await wire.gateway.ended('client_closed_upload', side);
      t.not(request.body.state, 'complete', 'the backend must not take a cut upload for a whole one');
    },
  );

  onBothBackends(t, `a client that ${how} in the download ends the backend’s request`, async (t, side) => {
    for (const head of [
      'Content-Length: 1000\r\n\r\nabc',
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    ]) {
      const wire = await startWire(t, side, stall(`HTTP/1.1 200 OK\r\n${head}`));
      const client = await wire.gateway.connect();
      await client.send(wire.text());
      const answer = await client.nextHead();
      await answer.body.read();
      leave(client);
      await abandoned(wire);
      await wire.gateway.ended('client_closed', side);
      t.equal(await wire.gateway.failures('client_closed'), 1);
    }
  });

  onBothBackends(
    t,
    `a client that ${how} while it waits for 100 ends the backend’s request`,
    async (t, side) => {
      const wire = await startWire(t, side, stall());
      const client = await wire.gateway.connect();
      await client.send(
        wire.text({ method: 'POST', headers: 'Content-Length: 3\r\nExpect: 100-continue\r\n' }),
      );
      await wire.backend.request();
      leave(client);
      await abandoned(wire);
      t.equal(wire.backend.requests.length, 1);
    },
  );
}

onBothBackends(t, 'a client that leaves while a stream of large pieces flows stops it', async (t, side) => {
  const wire = await startWire(t, side, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    let gone = false;
    void exchange.gone.then(() => {
      gone = true;
    });
    const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    while (!gone) await exchange.send(piece);
  });
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  await (await client.nextHead()).body.read();
  client.abort();
  await abandoned(wire);
  await wire.gateway.ended('client_closed', side);
  t.equal(wire.backend.requests.length, 1);
});

onBothBackends(
  t,
  'a client that leaves in an upload with trailers ends the backend’s request',
  async (t, side) => {
    const wire = await startWire(t, side, async (exchange) => {
      await exchange.body();
    });
    const client = await wire.gateway.connect();
    const headers = 'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n';
    await client.send(wire.text({ method: 'POST', headers, body: '3\r\nabc\r\n' }));
    const request = await wire.backend.request();
    client.abort();
    await abandoned(wire);
    await wire.gateway.ended('client_closed_upload', side);
    t.not(request.body.state, 'complete');
  },
);

onBothBackends(
  t,
  'a client that leaves between pipelined requests ends only what is in flight',
  async (t, side) => {
    const wire = await startWire(t, side, stall());
    const client = await wire.gateway.connect();
    await client.send(wire.text({ target: '/first' }) + wire.text({ target: '/second' }));
    await wire.backend.request();
    client.abort();
    await abandoned(wire);
    await wire.gateway.ended('client_closed', side);
    t.strictSame(
      wire.backend.requests.map(({ target }) => target),
      ['/first'],
    );
  },
);

onBothBackends(t, 'a client that closes its side of the connection is taken for gone', async (t, side) => {
  const wire = await startWire(t, side, stall());
  const client = await wire.gateway.connect();
  await client.send(wire.text());
  await wire.backend.request();
  client.finish();
  await abandoned(wire);
  await wire.gateway.ended('client_closed', side);
  t.equal(wire.backend.requests.length, 1);
});
