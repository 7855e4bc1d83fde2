import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import t from 'tap';
import type { Identified, Identity } from '../../src/intake/identity.ts';
import { createIdentity } from '../../src/intake/identity.ts';
import { JWKS_STALE_MAX_MS } from '../../src/intake/jwks.ts';
import { fetchJson } from '../../src/upstream/fetch-json.ts';
import { bearer, Clocks, jwksSource, outcome, request } from './identity-fixtures.ts';
import type { KeyPair } from './tokens.ts';
import { ecPair, jwksOf, signed } from './tokens.ts';

const one = ecPair('one');
const two = ecPair('two');
const CACHE_MS = 600_000;
const COOLDOWN_MS = 30_000;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An issuer that answers as it is told, and counts how often it was asked. */
class Issuer {
  readonly server: Server;
  answer: Answer;
  requests = 0;

  constructor(answer: Answer) {
    this.answer = answer;
    this.server = createServer((incoming, response) => {
      this.requests += 1;
      this.answer(incoming, response);
    });
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the issuer does not listen');
    return `http://127.0.0.1:${address.port}/jwks`;
  }
}

async function issuer(test: Tap, answer: Answer): Promise<Issuer> {
  const made = new Issuer(answer);
  made.server.listen(0, '127.0.0.1');
  await once(made.server, 'listening');
  test.teardown(() => {
    made.server.closeAllConnections();
    made.server.close();
  });
  return made;
}

interface Tap {
  teardown(work: () => void): void;
}

const publishes =
  (...pairs: KeyPair[]): Answer =>
  (_, response) =>
    void response.end(jwksOf(...pairs));
const fails: Answer = (_, response) => void response.writeHead(503).end('try later');

interface Setup {
  readonly identity: Identity;
  readonly clocks: Clocks;
  /** How each fetch ended: the number of keys, or the reason. */
  readonly log: (number | string)[];
}

function setup(url: string, timeoutMs?: number): Setup {
  const clocks = new Clocks();
  const log: (number | string)[] = [];
  const key = { kind: 'jwks', url, cacheMs: CACHE_MS, cooldownMs: COOLDOWN_MS } as const;
  const identity = createIdentity([jwksSource(url, { key })], {
    nowMs: clocks.nowMs,
    elapsedMs: clocks.elapsedMs,
    fetchJwks: timeoutMs === undefined ? fetchJson : (at) => fetchJson(at, { timeoutMs }),
    observer: {
      identityKeysLoaded: (_, keys) => void log.push(keys),
      identityKeysFailed: (_, cause) => void log.push(cause instanceof Error ? cause.message : 'no error'),
    },
  });
  return { identity, clocks, log };
}

const ask = (identity: Identity, pair = one): Identified | Promise<Identified> =>
  identity.identify(bearer(signed(pair, { sub: 'alice' })));

async function judged(identity: Identity, pair = one): Promise<string | readonly string[]> {
  return outcome(await ask(identity, pair));
}

void t.test('the first token waits for the keys, the next ones are known at once', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, log } = setup(server.url);
  const first = ask(identity);
  t.ok(first instanceof Promise);
  t.equal((await first).user, 'alice');
  const next = ask(identity);
  t.notOk(next instanceof Promise);
  t.equal(server.requests, 1);
  t.strictSame(log, [1]);
});

void t.test('fetches that overlap are one fetch', async (t) => {
  const server = await issuer(t, publishes(one, two));
  const { identity } = setup(server.url);
  const all = await Promise.all([ask(identity), ask(identity, two), ask(identity), identity.warmUp()]);
  t.strictSame(
    all.slice(0, 3).map((found) => found?.user),
    ['alice', 'alice', 'alice'],
  );
  t.equal(server.requests, 1);
});

void t.test('an unknown key name makes one fetch: the issuer has rotated', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, clocks } = setup(server.url);
  await identity.warmUp();
  const old = bearer(signed(one, { sub: 'alice' }));
  t.equal(outcome(await identity.identify(old)), 'alice');
  clocks.pass(COOLDOWN_MS);
  server.answer = publishes(two);
  t.equal(await judged(identity, two), 'alice');
  t.equal(server.requests, 2);
  t.strictSame(
    outcome(await identity.identify(old)),
    ['token_key_unknown'],
    'the old key is gone, cached or not',
  );
});

void t.test('invented key names make one fetch in each cooldown, and name nobody', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, clocks } = setup(server.url);
  await identity.warmUp();
  for (let i = 0; i < 20; i += 1) {
    const found = identity.identify(bearer(signed(two, { sub: 'mallory' }, { kid: `invented-${i}` })));
    t.notOk(found instanceof Promise, 'nobody waits in the cooldown');
    t.match(await found, { user: undefined, rejected: ['token_key_unknown'], unverifiable: false });
  }
  t.equal(server.requests, 1);
  clocks.pass(COOLDOWN_MS);
  t.strictSame(await judged(identity, two), ['token_key_unknown']);
  t.strictSame(await judged(identity, two), ['token_key_unknown']);
  t.equal(server.requests, 2);
});

void t.test('old keys are fetched anew in the background, and serve meanwhile', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, clocks } = setup(server.url);
  await identity.warmUp();
  clocks.pass(CACHE_MS);
  const asked = once(server.server, 'request');
  const found = ask(identity);
  t.notOk(found instanceof Promise, 'no user waits');
  t.equal(outcome(await found), 'alice');
  await asked;
  t.equal(server.requests, 2);
});

void t.test('while the issuer is down its old keys stay valid, for a day', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, clocks, log } = setup(server.url);
  await identity.warmUp();
  server.answer = fails;
  clocks.pass(JWKS_STALE_MAX_MS - 1);
  t.equal(await judged(identity), 'alice');
  await identity.warmUp();
  t.strictSame(log, [1, `${new URL(server.url).host} answered 503`]);
  clocks.pass(1);
  t.match(await ask(identity), { user: undefined, rejected: ['keys_unavailable'], unverifiable: true });
  clocks.pass(COOLDOWN_MS);
  server.answer = publishes(one);
  t.equal(await judged(identity), 'alice', 'and again when it is back');
});

void t.test(
  'without any key a token is unverifiable, not invalid, and the fetch is tried again after a second',
  async (t) => {
    const server = await issuer(t, fails);
    const { identity, clocks } = setup(server.url);
    t.match(await ask(identity), { user: undefined, rejected: ['keys_unavailable'], unverifiable: true });
    t.match(await ask(identity), { unverifiable: true });
    t.equal(server.requests, 1);
    server.answer = publishes(one);
    clocks.pass(1_000);
    t.equal(await judged(identity), 'alice');
    t.equal(server.requests, 2);
  },
);

void t.test('an issuer that refuses connections is a reason, not a crash', async (t) => {
  const server = await issuer(t, fails);
  const { url } = server;
  server.server.close();
  const { identity, log } = setup(url);
  await identity.warmUp();
  t.equal(log.length, 1);
  t.match(await ask(identity), { rejected: ['keys_unavailable'], unverifiable: true });
});

void t.test('an issuer that does not answer is given up after the bound', async (t) => {
  const server = await issuer(t, () => undefined);
  const { identity, log } = setup(server.url, 50);
  t.match(await ask(identity), { rejected: ['keys_unavailable'] });
  t.match(log, [/timeout/]);
});

void t.test('an issuer that never ends its answer is given up after the bound', async (t) => {
  const server = await issuer(t, (_, response) => void response.write('{"keys":['));
  const { identity, log } = setup(server.url, 50);
  t.match(await ask(identity), { rejected: ['keys_unavailable'] });
  t.match(log, [/timeout/]);
});

void t.test('a set over the bound of size is not taken', async (t) => {
  const server = await issuer(t, (_, response) => {
    response.end(`{"keys":[],"padding":"${'x'.repeat(2 * 1024 * 1024)}"}`);
  });
  const { identity, log } = setup(server.url);
  t.match(await ask(identity), { rejected: ['keys_unavailable'] });
  t.match(log, [/over 1048576 bytes/]);
});

void t.test('what is no key set is a failure: the old keys stay', async (t) => {
  const server = await issuer(t, publishes(one));
  const { identity, clocks, log } = setup(server.url);
  await identity.warmUp();
  const many = JSON.stringify({ keys: Array.from({ length: 101 }, () => two.jwk) });
  for (const body of ['', '<html>', 'null', '[]', '{}', '{"keys":{}}', many]) {
    server.answer = (_, response) => void response.end(body);
    clocks.pass(COOLDOWN_MS);
    t.strictSame(await judged(identity, two), ['token_key_unknown'], body.slice(0, 20));
    t.equal(await judged(identity), 'alice');
  }
  t.equal(log.length, 8);
  server.answer = publishes();
  clocks.pass(COOLDOWN_MS);
  await judged(identity, two);
  t.strictSame(await judged(identity), ['token_key_unknown'], 'an empty set is an answer: no key is valid');
});

void t.test('a source that is only asked for contradiction does not wait for keys', async (t) => {
  const server = await issuer(t, publishes(one));
  const source = jwksSource(server.url);
  const identity = createIdentity([{ from: 'header', name: 'x-user-id' }, source]);
  const headers = [
    ['x-user-id', 'bob'],
    ['authorization', `Bearer ${signed(one, { sub: 'alice' })}`],
  ] as const;
  const found = identity.identify(request({ headers }));
  t.notOk(found instanceof Promise);
  t.match(await found, { user: 'bob', conflict: false, rejected: ['keys_unavailable'], unverifiable: false });
  await identity.warmUp();
  t.match(await identity.identify(request({ headers })), { user: 'bob', conflict: true, claims: undefined });
});
