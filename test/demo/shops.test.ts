/** What both shops promise alike: reads, writes that survive a restart, and clear answers to bad input. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { startShop } from '../../src/demo/start-shop.ts';
import type { Backend } from '../../src/model.ts';
import { at, list, tempFolder, testShop } from './with-shop.ts';

t.setTimeout(90_000);

const folder = await tempFolder();
t.teardown(() => folder.remove());

const PROFILE = {
  userName: 'Inés Núñez',
  email: 'ines@shop.example',
  addr1: '1 Quay Street',
  addr2: 'Flat 9',
  zip: '28001',
  city: 'Madrid',
  country: 'ES',
};

/** Where each shop says the same thing. */
const PATHS = {
  legacy: {
    name: 'userName',
    line2: 'addr2',
    zip: 'zip',
    newsletter: 'pref_newsletter',
    language: 'pref_lang',
    number: 'orderNo',
    status: 'status',
    quantity: 'items.0.qty',
    count: 'orderCount',
    error: 'err',
    message: 'errText',
    cancelled: 'X',
    yes: 'Y',
    german: 'DE',
    notFound: 'E_NOT_FOUND',
  },
  new: {
    name: 'user.name',
    line2: 'address.line2',
    zip: 'address.postalCode',
    newsletter: 'preferences.newsletter',
    language: 'preferences.language',
    number: 'order.number',
    status: 'order.status',
    quantity: 'order.items.0.quantity',
    count: 'totals.count',
    error: 'error.code',
    message: 'error.message',
    cancelled: 'cancelled',
    yes: true,
    german: 'de',
    notFound: 'not_found',
  },
} as const;

for (const shop of ['legacy', 'new'] as const) {
  await t.test(`the ${shop} shop keeps writes over a restart`, async (t) => {
    const paths = PATHS[shop];
    const file = join(folder.path, `${shop}-writes.db`);
    const before = await testShop(shop, { file });
    const user = 'u-17';
    await before.call('PATCH', '/api/profile', { user, json: { userName: 'Ada Brown' } });
    await before.call('PATCH', '/api/preferences', { user, json: { newsletter: true, language: 'de' } });
    const counted = await before.call('GET', '/api/orders/history', { user });
    const sku = await anySku(before);
    const placed = await before.call('POST', '/api/orders', {
      user,
      json: { items: [{ sku, quantity: 3 }] },
    });
    t.equal(placed.status, 201);
    const number = at(placed.body, paths.number);
    const cancelled = await before.call('DELETE', `/api/orders/${String(number)}`, { user });
    t.equal(cancelled.status, 200);
    const signedUp = await before.call('POST', '/api/profile', { user: 'u-901', json: PROFILE });
    t.equal(signedUp.status, 201);
    const replaced = { ...PROFILE, addr2: '', zip: '28002' };
    await before.call('PUT', '/api/profile', { user: 'u-901', json: replaced });
    await before.close();

    const after = await testShop(shop, { file });
    t.teardown(() => after.close());
    const profile = await after.call('GET', '/api/profile', { user });
    t.equal(at(profile.body, paths.name), 'Ada Brown');
    const preferences = await after.call('GET', '/api/preferences', { user });
    t.equal(at(preferences.body, paths.newsletter), paths.yes);
    t.equal(at(preferences.body, paths.language), paths.german);
    const order = await after.call('GET', `/api/orders/${String(number)}`, { user });
    t.equal(at(order.body, paths.status), paths.cancelled);
    t.equal(at(order.body, paths.quantity), 3);
    const history = await after.call('GET', '/api/orders/history', { user });
    t.equal(at(history.body, paths.count), Number(at(counted.body, paths.count)) + 1);
    const newcomer = await after.call('GET', '/api/profile', { user: 'u-901' });
    t.equal(at(newcomer.body, paths.zip), '28002');
    t.notOk(at(newcomer.body, paths.line2), 'a PUT replaces the whole profile');
  });

  await t.test(`the ${shop} shop answers bad input with a clear 4xx`, async (t) => {
    const paths = PATHS[shop];
    const server = await testShop(shop, { file: join(folder.path, `${shop}-bad.db`) });
    t.teardown(() => server.close());
    const user = 'u-17';
    const sku = await anySku(server);
    const items = [{ sku, quantity: 1 }];
    const cases: [
      status: number,
      method: string,
      path: string,
      options?: { user?: string; json?: unknown },
    ][] = [
      [401, 'GET', '/api/profile'],
      [400, 'GET', '/api/profile', { user: 'nobody' }],
      [404, 'GET', '/api/profile', { user: 'u-900000' }],
      [404, 'GET', '/api/nothing', { user }],
      [404, 'GET', '/api/orders/1800001', { user }],
      [404, 'GET', '/api/orders/abc', { user }],
      [404, 'GET', '/api/products/NONE'],
      [405, 'DELETE', '/api/profile', { user }],
      [400, 'GET', '/api/search'],
      [400, 'GET', '/api/search?q=mug&maxPrice=cheap'],
      [400, 'PATCH', '/api/profile', { user, json: ['a'] }],
      [400, 'PATCH', '/api/profile', { user, json: { shoeSize: 43 } }],
      [400, 'PATCH', '/api/profile', { user, json: { userName: 'x'.repeat(201) } }],
      [400, 'PATCH', '/api/profile', { user, json: { email: 'no address' } }],
      [400, 'PUT', '/api/profile', { user, json: { userName: 'Only A Name' } }],
      [409, 'POST', '/api/profile', { user, json: PROFILE }],
      [400, 'PUT', '/api/preferences', { user, json: { sms: true } }],
      [400, 'PATCH', '/api/preferences', { user, json: { language: 'tlh' } }],
      [400, 'POST', '/api/orders', { user, json: { items: [] } }],
      [400, 'POST', '/api/orders', { user, json: { items: [{ sku, quantity: 0 }] } }],
      [400, 'POST', '/api/orders', { user, json: { items: [...items, ...items] } }],
      [404, 'POST', '/api/orders', { user, json: { items: [...items, { sku: 'NONE', quantity: 1 }] } }],
      [409, 'DELETE', '/api/orders/1700001', { user }],
      [413, 'PATCH', '/api/profile', { user, json: { userName: 'x'.repeat(70_000) } }],
    ];
    const before = await server.call('GET', '/api/orders', { user });
    for (const [status, method, path, options] of cases) {
      const reply = await server.call(method, path, options);
      t.equal(reply.status, status, `${method} ${path} ${JSON.stringify(options ?? {}).slice(0, 80)}`);
      t.type(at(reply.body, paths.error), 'string');
      t.match(at(reply.body, paths.message), /.{8}/, 'says what is wrong');
    }
    const after = await server.call('GET', '/api/orders', { user });
    t.strictSame(at(after.body, 'orders'), at(before.body, 'orders'), 'no half order was kept');
    const missing = await server.call('GET', '/api/profile', { user: 'u-900000' });
    t.equal(at(missing.body, paths.error), paths.notFound);
    const other = await server.call('DELETE', '/api/profile', { user });
    t.equal(other.headers.get('allow'), 'GET, POST, PUT, PATCH');
  });

  await t.test(`the ${shop} shop refuses bodies that are no JSON, or endless`, async (t) => {
    const server = await testShop(shop, { file: join(folder.path, `${shop}-bodies.db`) });
    t.teardown(() => server.close());
    const url = `http://127.0.0.1:${server.port}/api/profile`;
    const headers = { 'x-user-id': 'u-17', 'content-type': 'application/json' };
    const broken = await fetch(url, { method: 'PATCH', headers, body: '{"userName":' });
    t.equal(broken.status, 400);
    await broken.body?.cancel();
    const form = await fetch(url, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'text/plain' },
      body: 'x',
    });
    t.equal(form.status, 415);
    await form.body?.cancel();

    const socket = connect(server.port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.write(`PATCH /api/profile HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000000\r\n\r\n`);
    socket.on('error', () => undefined);
    // One byte more than the shop reads away: it answers when nothing is left unread, so no reset can overtake it.
    socket.write('x'.repeat(1_048_577));
    let answer = '';
    socket.on('data', (data: string) => (answer += data));
    await once(socket, 'close');
    t.match(answer, /^HTTP\/1\.1 413 /);
    t.match(answer, /connection: close/i);
  });

  await t.test(`the ${shop} shop says who it is, and answers HEAD without a body`, async (t) => {
    const server = await testShop(shop, { file: join(folder.path, `${shop}-head.db`) });
    t.teardown(() => server.close());
    const health = await server.call('GET', '/health');
    t.equal(health.status, 200);
    t.equal(health.headers.get('x-shop'), shop);
    const head = await server.call('HEAD', '/api/profile', { user: 'u-17' });
    t.equal(head.status, 200);
    t.ok(Number(head.headers.get('content-length')) > 100);
    t.equal(head.body, undefined);
  });
}

await t.test('orders get the same numbers in both shops, so that mirrored ones meet', async (t) => {
  const numbers: unknown[] = [];
  for (const shop of ['legacy', 'new'] as const satisfies Backend[]) {
    const server = await testShop(shop, { file: join(folder.path, `${shop}-numbers.db`) });
    t.teardown(() => server.close());
    const json = { items: [{ sku: await anySku(server), quantity: 1 }] };
    for (const user of ['u-17', 'u-3', 'u-17']) {
      const placed = await server.call('POST', '/api/orders', { user, json });
      numbers.push(at(placed.body, PATHS[shop].number));
    }
  }
  t.strictSame(numbers.slice(0, 3), numbers.slice(3));
  t.equal(numbers[2], Number(numbers[0]) + 1);
});

await t.test('a store that is in use by another shop is refused in words', async (t) => {
  const file = join(folder.path, 'shared.db');
  const first = await testShop('legacy', { file });
  t.teardown(() => first.close());
  const second = startShop({
    shop: 'legacy',
    host: '127.0.0.1',
    port: 0,
    file,
    faults: { rounding: false, lostAddressLine: false, slowHistory: false },
    now: () => new Date(),
    random: Math.random,
    onDefect: (error) => t.fail(String(error)),
  });
  await t.rejects(second, { message: /cannot open .*shared\.db.*locked/ });
});

async function anySku(server: Awaited<ReturnType<typeof testShop>>): Promise<string> {
  const products = await server.call('GET', '/api/products?category=kitchen');
  return String(at(list(products.body, 'items')[0], 'sku'));
}
