/** What is written to one shop is in the other one too. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COPY_HEADER, WriteCopier } from '../../src/demo/shop/write-copier.ts';
import { at, list, tempFolder, testShop } from './with-shop.ts';

t.setTimeout(60_000);

const HOST = '127.0.0.1';

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function twoShops(t: Test) {
  const folder = await tempFolder();
  t.teardown(() => folder.remove());
  const legacy = await testShop('legacy', { file: join(folder.path, 'l.db') });
  t.teardown(() => legacy.close());
  const renewed = await testShop('new', { file: join(folder.path, 'n.db') });
  t.teardown(() => renewed.close());
  legacy.copyTo(HOST, renewed.port);
  renewed.copyTo(HOST, legacy.port);
  return { legacy, renewed };
}

void t.test('a write is in both shops when it is acknowledged, whichever took it', async (t) => {
  const { legacy, renewed } = await twoShops(t);
  const items = [{ sku: 'KET-0003', quantity: 2 }];
  const user = 'u-17';
  const first = await legacy.call('POST', '/api/orders', { user, json: { items } });
  const number = Number(at(first.body, 'orderNo'));
  t.match(await renewed.call('GET', `/api/orders/${number}`, { user }), { status: 200 });
  const second = await renewed.call('POST', '/api/orders', { user, json: { items } });
  t.equal(at(second.body, 'order.number'), number + 1);
  t.match(await legacy.call('GET', `/api/orders/${number + 1}`, { user }), { status: 200 });
  await legacy.call('DELETE', `/api/orders/${number}`, { user });
  t.match(await renewed.call('GET', `/api/orders/${number}`, { user }), {
    body: { order: { status: 'cancelled' } },
  });
  await renewed.call('PATCH', '/api/preferences', { user, json: { language: 'ja' } });
  t.match(await legacy.call('GET', '/api/preferences', { user }), { body: { pref_lang: 'JA' } });
  await legacy.call('PATCH', '/api/profile', { user, json: { userName: 'Ann Berg' } });
  t.match(await renewed.call('GET', '/api/profile', { user }), { body: { user: { name: 'Ann Berg' } } });
});

void t.test('reads, refused writes and copies are not copied', async (t) => {
  const { legacy, renewed } = await twoShops(t);
  const user = 'u-18';
  await legacy.call('POST', '/api/search', { json: { q: 'mug' } });
  await legacy.call('GET', '/api/profile', { user });
  t.match(await legacy.call('PATCH', '/api/preferences', { user, json: { language: 'xx' } }), {
    status: 400,
  });
  await legacy.call('PATCH', '/api/preferences', { user, json: { sms: true } });
  t.match(await renewed.call('GET', '/health'), { body: { requests: 1, copies: 1 } });
  t.match(await legacy.call('GET', '/health'), { body: { requests: 5, copies: 0 } });
});

void t.test(
  'while the other shop is away nobody waits long, and it gets everything later, in order',
  async (t) => {
    const folder = await tempFolder();
    t.teardown(() => folder.remove());
    const legacy = await testShop('legacy', { file: join(folder.path, 'l.db') });
    t.teardown(() => legacy.close());
    const file = join(folder.path, 'n.db');
    const gone = await testShop('new', { file });
    const { port } = gone;
    await gone.close();
    legacy.copyTo(HOST, port);
    const user = 'u-19';
    const numbers: unknown[] = [];
    for (const quantity of [1, 2, 3]) {
      const json = { items: [{ sku: 'KET-0003', quantity }] };
      const placed = await legacy.call('POST', '/api/orders', { user, json });
      t.equal(placed.status, 201);
      numbers.push(at(placed.body, 'orderNo'));
    }
    const back = await testShop('new', { file, port });
    t.teardown(() => back.close());
    let copied: readonly unknown[] = [];
    while (copied.length < 3) {
      const { body } = await back.call('GET', '/api/orders', { user });
      copied = list(body, 'orders').filter((order) => numbers.includes(at(order, 'number')));
    }
    t.strictSame(
      copied.map((order) => at(order, 'items.0.quantity')),
      [3, 2, 1],
    );
  },
);

void t.test('a copy that is refused is told once, and those behind it go on', async (t) => {
  const met: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    met.push(`${request.method} ${request.url} ${String(request.headers[COPY_HEADER])}`);
    request.resume();
    response.writeHead(request.method === 'DELETE' ? 404 : 200).end();
  });
  other.listen(0, HOST);
  await once(other, 'listening');
  t.teardown(() => other.close());
  const troubles: string[] = [];
  const copier = new WriteCopier(({ message }) => troubles.push(message));
  t.teardown(() => copier.close());
  const write = { user: 'u-1', body: undefined };
  await copier.copy({ ...write, method: 'PUT', path: '/nowhere/yet' });
  copier.copyTo(HOST, portOf(other));
  await Promise.all([
    copier.copy({ ...write, method: 'DELETE', path: '/a' }),
    copier.copy({ ...write, method: 'DELETE', path: '/b' }),
    copier.copy({ ...write, method: 'PUT', path: '/c', body: { a: 1 } }),
  ]);
  t.strictSame(met, ['DELETE /a 1', 'DELETE /b 1', 'PUT /c 1']);
  t.strictSame(troubles, ['the other shop answers 404 to a copy of DELETE /a']);
});

void t.test(
  'a shop that does not answer holds a writer for a moment only, and its stop nobody',
  async (t) => {
    const asked = Promise.withResolvers<void>();
    const other = createServer(() => asked.resolve());
    other.listen(0, HOST);
    await once(other, 'listening');
    t.teardown(() => {
      other.close();
      other.closeAllConnections();
    });
    const copier = new WriteCopier((error) => t.fail(error.message));
    copier.copyTo(HOST, portOf(other));
    const write = { user: 'u-1', method: 'PUT', path: '/a', body: undefined };
    const first = copier.copy(write);
    await asked.promise;
    await first;
    await copier.copy(write);
    copier.close();
    await copier.copy(write);
  },
);
