import t from 'tap';
import { onBothBackends } from '../harness/gateway.ts';
import { startWire } from '../harness/wire.ts';

t.jobs = 8;

const TARGETS = [
  '/',
  '/caf%E9',
  '/caf%C3%A9',
  '/a%2Fb',
  '/a%2fb',
  '//a',
  '//a//b//',
  '/a/..%2f..%2fb',
  '/..%2f',
  '/a/../b',
  '/a/./b',
  '/%2e%2e/b',
  '/a\\b',
  '/a%5Cb',
  '/%',
  '/%zz',
  '/%00',
  '/a;v=1/b;w=2',
  '/a?',
  '/a??b=?',
  '/a?x=1&x=2&y',
  '/a?q=caf%C3%A9&r=%E9',
  '/a?next=http://other.test/%0d%0a',
  '/a?[x]={"y":"<z>"}|^`',
  '/a|b^c`d{e}"<>',
  "/:a@b!$&'()*+,=~",
  `/${'long/'.repeat(1500)}`,
];

onBothBackends(t, 'targets arrive byte for byte', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const client = await wire.gateway.connect();
  for (const target of TARGETS) {
    const before = wire.backend.requests.length;
    const answer = await client.request(wire.text({ target }));
    t.equal(answer.status, 200, JSON.stringify(target.slice(0, 40)));
    t.equal(wire.backend.requests[before]?.target, target);
  }
});

onBothBackends(t, 'a byte beyond ASCII is refused, and never re-encoded', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const target of ['/caf\xe9', '/\xff\xfe', '/a?q=caf\xe9', '/caf\xc3\xa9']) {
    t.equal((await wire.request({ target })).status, 400);
  }
  t.equal(wire.backend.connections.length, 0);
});

onBothBackends(t, 'a fragment never reaches a backend as part of another target', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const answer = await wire.request({ target: '/a#b' });
  if (answer.status === 200) t.equal(wire.backend.requests[0]?.target, '/a#b');
  else t.equal(answer.status, 400);
});

onBothBackends(t, 'the backend’s base path is put before the target as it is', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  const backends = { [side]: { url: `http://127.0.0.1:${wire.backend.port}/base/v1` } };
  const based = await startWire(t, side, undefined, { settings: { backends } });
  await based.request({ target: '//caf%E9?a=%2F' });
  t.equal(wire.backend.requests[0]?.target, '/base/v1//caf%E9?a=%2F');
});

onBothBackends(t, 'an absolute target goes as a path, with its authority as Host', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const [target, host, path] of [
    ['http://shop.test/a?b', 'shop.test', '/a?b'],
    ['http://other.test:81/a', 'other.test:81', '/a'],
    ['https://shop.test', 'shop.test', '/'],
    ['HTTP://shop.test?x', 'shop.test', '/?x'],
  ] as const) {
    const before = wire.backend.requests.length;
    const answer = await wire.request({ target });
    t.equal(answer.status, 200, target);
    const request = wire.backend.requests[before];
    t.equal(request?.target, path);
    t.match(request?.rawHead, new RegExp(`^host: ${host}\r$`, 'im'));
  }
});

onBothBackends(t, 'any other form of target is refused before any backend', async (t, side) => {
  const wire = await startWire(t, side, undefined);
  for (const [method, target] of [
    ['GET', 'shop.test:80'],
    ['GET', 'a/b'],
    ['GET', '*'],
    ['POST', '*'],
    ['GET', 'ftp://shop.test/a'],
    ['GET', 'http://'],
    ['GET', 'http:///a'],
    ['GET', 'http://user:secret@shop.test/a'],
    ['GET', '?a'],
    ['GET', '\\a'],
  ] as const) {
    const answer = await wire.request({ method, target });
    t.equal(answer.status, 400, `${method} ${target}`);
  }
  t.equal(wire.backend.connections.length, 0);
});
