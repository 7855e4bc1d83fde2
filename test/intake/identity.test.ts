import t from 'tap';
import type { IdentitySource } from '../../src/config/model.ts';
import { createIdentity } from '../../src/intake/identity.ts';
import type { Sent } from './identity-fixtures.ts';
import { identifyNow, outcome, request, SECRET, secretSource } from './identity-fixtures.ts';
import { hmacSigned } from './tokens.ts';

const HEADER: IdentitySource = { from: 'header', name: 'x-user-id' };
const COOKIE: IdentitySource = { from: 'cookie', name: 'uid' };
const QUERY: IdentitySource = { from: 'query', name: 'user' };
const PATH: IdentitySource = { from: 'path', name: 'user' };

function found(sources: readonly IdentitySource[], sent: Sent): ReturnType<typeof identifyNow> {
  return identifyNow(createIdentity(sources), request(sent));
}

/** The bytes of the text, one character each, as the parser of HTTP hands them out. */
const wire = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

void t.test('each source names a user by itself', async (t) => {
  t.equal(found([HEADER], { headers: [['x-user-id', 'alice']] }).user, 'alice');
  t.equal(found([COOKIE], { headers: [['cookie', 'a=b; uid=alice; c=d']] }).user, 'alice');
  t.equal(found([QUERY], { query: 'a=b&user=alice%20b' }).user, 'alice b');
  t.equal(found([PATH], { params: { user: 'alice' } }).user, 'alice');
  const token = hmacSigned(SECRET, { sub: 'alice' });
  t.equal(found([secretSource()], { headers: [['authorization', `Bearer ${token}`]] }).user, 'alice');
});

void t.test('a request that says nothing has no user, and nothing is wrong with it', async (t) => {
  const nobody = { user: undefined, claims: undefined, rejected: [], conflict: false, unverifiable: false };
  const all = [secretSource(), HEADER, COOKIE, PATH, QUERY];
  t.strictSame(found(all, {}), nobody);
  t.strictSame(found([], { headers: [['x-user-id', 'alice']] }), nobody);
  const empty: Sent = {
    headers: [
      ['authorization', 'Basic YTpi'],
      ['x-user-id', ''],
      ['cookie', 'uid=; other=1'],
    ],
    query: 'user=&other=1',
    params: { user: '' },
  };
  t.strictSame(found(all, empty), nobody, 'empty values are absent');
});

void t.test('the first listed source that names a user wins, and a disagreement is noticed', async (t) => {
  const sent: Sent = { headers: [['x-user-id', 'alice']], query: 'user=bob' };
  t.match(found([HEADER, QUERY], sent), { user: 'alice', conflict: true, rejected: [] });
  t.match(found([QUERY, HEADER], sent), { user: 'bob', conflict: true });
  const same: Sent = { headers: [['x-user-id', 'alice']], query: 'user=alice' };
  t.match(found([HEADER, QUERY], same), { user: 'alice', conflict: false });
  t.match(found([COOKIE, HEADER, QUERY], same), { user: 'alice', conflict: false });
});

void t.test('a source that is present and cannot be believed ends the search', async (t) => {
  const twice: Sent = {
    headers: [
      ['x-user-id', 'alice'],
      ['x-user-id', 'bob'],
    ],
    query: 'user=carol',
  };
  t.match(found([HEADER, QUERY], twice), { user: undefined, rejected: ['header_duplicate'] });
  const forged = hmacSigned('another secret, just as long as the first', { sub: 'alice' });
  const withToken: Sent = { headers: [['authorization', `Bearer ${forged}`]], query: 'user=carol' };
  t.match(found([secretSource(), QUERY], withToken), { user: undefined, rejected: ['token_signature'] });
});

void t.test('a later source that cannot be believed is counted, and changes nothing', async (t) => {
  const forged = hmacSigned('another secret, just as long as the first', { sub: 'mallory' });
  const sent: Sent = {
    headers: [
      ['x-user-id', 'alice'],
      ['authorization', `Bearer ${forged}`],
    ],
    query: 'user=%zz',
  };
  t.match(found([HEADER, secretSource(), QUERY], sent), {
    user: 'alice',
    conflict: false,
    claims: undefined,
    rejected: ['token_signature', 'query_malformed'],
  });
});

void t.test('the claims are those of the token that names the user', async (t) => {
  const token = hmacSigned(SECRET, { sub: 'alice', plan: 'paid' });
  const headers = (user: string): Sent => ({
    headers: [
      ['x-user-id', user],
      ['authorization', `Bearer ${token}`],
    ],
  });
  t.equal(found([secretSource(), HEADER], headers('alice')).claims?.get('plan'), 'paid');
  t.equal(found([HEADER, secretSource()], headers('alice')).claims?.get('plan'), 'paid');
  t.equal(found([HEADER, secretSource()], headers('bob')).claims, undefined, "not another user's");
});

void t.test('a user outside ASCII is the same from every source', async (t) => {
  const user = '张伟 żółw 🦊';
  t.equal(found([HEADER], { headers: [['x-user-id', wire(user)]] }).user, user);
  t.equal(found([COOKIE], { headers: [['cookie', `uid=${wire(user)}`]] }).user, user);
  t.equal(found([QUERY], { query: `user=${encodeURIComponent(user)}` }).user, user);
  t.equal(found([QUERY], { query: `user=${wire(user)}` }).user, user, 'not escaped');
  t.equal(found([PATH], { params: { user } }).user, user);
  const token = hmacSigned(SECRET, { sub: user });
  t.equal(found([secretSource()], { headers: [['authorization', `bearer ${token}`]] }).user, user);
});

void t.test('keys that cannot be a user are rejected, with the reason', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['a'.repeat(257), 'user_too_long'],
    [wire('é'.repeat(129)), 'user_too_long'],
    ['a\tb', 'user_control_characters'],
    ['a\u007fb', 'user_control_characters'],
    [wire('a\u0085b'), 'user_control_characters'],
    ['caf\u00e9', 'user_not_utf8'],
    ['\u00c0\u00af', 'user_not_utf8'],
    ['\u00ed\u00a0\u0080', 'user_not_utf8'],
  ];
  for (const [value, problem] of cases) {
    t.strictSame(outcome(found([HEADER], { headers: [['x-user-id', value]] })), [problem], value);
    t.strictSame(outcome(found([COOKIE], { headers: [['cookie', `uid="${value}"`]] })), [problem], value);
  }
  t.equal(found([HEADER], { headers: [['x-user-id', 'a'.repeat(256)]] }).user, 'a'.repeat(256));
  const euros = '€'.repeat(85);
  t.equal(found([HEADER], { headers: [['x-user-id', wire(euros)]] }).user, euros, '255 bytes');
  t.strictSame(outcome(found([PATH], { params: { user: 'a\u0000' } })), ['user_control_characters']);
  t.strictSame(outcome(found([QUERY], { query: 'user=%0A' })), ['user_control_characters']);
  t.strictSame(outcome(found([QUERY], { query: 'user=%FF' })), ['query_malformed']);
});

void t.test('a byte order mark is part of the key, in every source', async (t) => {
  const user = '\ufeffalice';
  t.equal(found([HEADER], { headers: [['x-user-id', wire(user)]] }).user, user);
  t.equal(found([QUERY], { query: `user=${encodeURIComponent(user)}` }).user, user);
});

void t.test('two different values of a query parameter name nobody', async (t) => {
  t.strictSame(outcome(found([QUERY], { query: 'user=alice&user=bob' })), ['query_conflicting']);
  t.strictSame(outcome(found([QUERY], { query: 'user=alice&us%65r=bob' })), ['query_conflicting']);
  t.equal(found([QUERY], { query: 'user=alice&x=1&user=%61lice' }).user, 'alice');
});

void t.test('two cookie headers name nobody: which one counts differs by backend', async (t) => {
  const sent: Sent = {
    headers: [
      ['cookie', 'a=1'],
      ['cookie', 'uid=alice'],
    ],
  };
  t.strictSame(outcome(found([COOKIE, QUERY], { ...sent, query: 'user=bob' })), ['header_duplicate']);
});
