import t from 'tap';
import type { Identified, Identity } from '../../src/intake/identity.ts';
import { createIdentity } from '../../src/intake/identity.ts';
import { secretKey } from '../../src/intake/verification-key.ts';
import {
  bearer,
  Clocks,
  identifyNow,
  jwksSource,
  outcome,
  request,
  SECRET,
  secretSource,
} from './identity-fixtures.ts';
import type { KeyPair } from './tokens.ts';
import { ecPair, edPair, hmacSigned, jwksOf, rsaPair, signed, unsigned } from './tokens.ts';

const rsa = rsaPair('rsa');
const ec = ecPair('ec');
const ec384 = ecPair('ec384', 'P-384', 'ES384');
const ed = edPair('ed');

/** An identity whose keys are there already, so that every token is judged at once. */
async function withKeys(
  pairs: readonly KeyPair[],
  changes: Parameters<typeof jwksSource>[1] = {},
  clocks = new Clocks(),
): Promise<Identity> {
  const identity = createIdentity([jwksSource('https://issuer.example/jwks', changes)], {
    fetchJwks: async () => jwksOf(...pairs),
    nowMs: clocks.nowMs,
    elapsedMs: clocks.elapsedMs,
  });
  await identity.warmUp();
  return identity;
}

const judge = (identity: Identity, token: string): string | readonly string[] =>
  outcome(identifyNow(identity, bearer(token)));

void t.test('tokens of RSA, EC, Ed25519 and HMAC keys name their user', async (t) => {
  const identity = await withKeys([rsa, ec, ec384, ed]);
  for (const pair of [rsa, ec, ec384, ed]) {
    t.equal(judge(identity, signed(pair, { sub: `user of ${pair.kid}` })), `user of ${pair.kid}`);
  }
  const bySecret = createIdentity([secretSource()]);
  t.equal(judge(bySecret, hmacSigned(SECRET, { sub: 'alice' })), 'alice');
  t.equal(judge(bySecret, hmacSigned(SECRET, { sub: 'alice' }, { kid: 'any' })), 'alice');
});

void t.test('a token whose signature is of another key, or of another payload, names nobody', async (t) => {
  const identity = await withKeys([rsa, ec]);
  const stranger = rsaPair('rsa');
  t.strictSame(judge(identity, signed(stranger, { sub: 'alice' })), ['token_signature']);
  const [head, , signature] = signed(rsa, { sub: 'alice' }).split('.');
  const payload = Buffer.from(JSON.stringify({ sub: 'mallory' })).toString('base64url');
  t.strictSame(judge(identity, `${head}.${payload}.${signature}`), ['token_signature']);
  t.strictSame(judge(identity, signed({ ...ec, privateKey: ecPair('x').privateKey }, { sub: 'a' })), [
    'token_signature',
  ]);
});

void t.test('an unsigned token names nobody, however it spells its algorithm', async (t) => {
  const identities = [await withKeys([rsa]), createIdentity([secretSource()])];
  for (const identity of identities) {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const bare = unsigned({ alg, kid: 'rsa' }, { sub: 'mallory' });
      t.strictSame(judge(identity, `${bare}.`), ['token_algorithm'], alg);
      t.strictSame(judge(identity, `${bare}.AAAA`), ['token_algorithm'], alg);
    }
    const stripped = `${unsigned({ alg: 'RS256', kid: 'rsa' }, { sub: 'mallory' })}.`;
    t.match(identifyNow(identity, bearer(stripped)), { user: undefined });
  }
});

void t.test('HS256 signed with the public key is refused, in every form of that key', async (t) => {
  const identity = await withKeys([rsa], { algorithms: ['RS256', 'HS256'] });
  const forms = [
    rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    JSON.stringify(rsa.jwk),
    jwksOf(rsa),
  ];
  for (const form of forms) {
    for (const kid of ['rsa', undefined]) {
      t.strictSame(judge(identity, hmacSigned(form, { sub: 'mallory' }, { kid })), ['token_algorithm']);
    }
  }
});

void t.test('a symmetric key in a published set is not used', async (t) => {
  const published = JSON.stringify({
    keys: [{ kty: 'oct', kid: 'oct', alg: 'HS256', k: Buffer.from(SECRET).toString('base64url') }],
  });
  const source = jwksSource('https://issuer.example/jwks', { algorithms: ['RS256', 'HS256'] });
  const identity = createIdentity([source], { fetchJwks: async () => published });
  await identity.warmUp();
  t.strictSame(judge(identity, hmacSigned(SECRET, { sub: 'mallory' }, { kid: 'oct' })), [
    'token_key_unknown',
  ]);
});

void t.test('keys for encryption, short keys, odd curves and broken ones are passed over', async (t) => {
  const short = rsaPair('short', 1024);
  const koblitz = ecPair('koblitz', 'secp256k1');
  const keys = [
    null,
    'text',
    { kty: 'RSA', kid: 'broken', n: '!', e: 'AQAB' },
    { ...rsa.jwk, kid: 'encryption', use: 'enc' },
    { ...rsa.jwk, kid: 'other-algorithm', alg: 'RS512' },
    short.jwk,
    koblitz.jwk,
    { ...ec.jwk, kid: 'good' },
  ];
  const identity = createIdentity([jwksSource('https://issuer.example/jwks')], {
    fetchJwks: async () => JSON.stringify({ keys }),
  });
  await identity.warmUp();
  const by = (pair: KeyPair, kid: string): string => signed(pair, { sub: 'alice' }, { kid });
  for (const kid of ['broken', 'encryption', 'other-algorithm']) {
    t.strictSame(judge(identity, by(rsa, kid)), ['token_key_unknown'], kid);
  }
  t.strictSame(judge(identity, by(short, 'short')), ['token_key_unknown']);
  t.strictSame(judge(identity, by(koblitz, 'koblitz')), ['token_key_unknown']);
  t.equal(judge(identity, by(ec, 'good')), 'alice');
});

void t.test('a token for an algorithm that is not allowed is refused', async (t) => {
  const identity = await withKeys([rsa, ec], { algorithms: ['ES256'] });
  t.strictSame(judge(identity, signed(rsa, { sub: 'alice' })), ['token_key_unknown']);
  t.equal(judge(identity, signed(ec, { sub: 'alice' })), 'alice');
  t.strictSame(judge(identity, signed(ec, { sub: 'alice' }, { alg: 'ES384' })), ['token_algorithm']);
});

void t.test('a token without a key name is tried with every key of its kind', async (t) => {
  const second = rsaPair('second');
  const identity = await withKeys([ec, rsa, second]);
  t.equal(judge(identity, signed(second, { sub: 'alice' }, { kid: undefined })), 'alice');
  t.strictSame(judge(identity, signed(rsaPair('third'), { sub: 'a' }, { kid: undefined })), [
    'token_signature',
  ]);
});

void t.test('an expired token names nobody, also when it was believed and cached before', async (t) => {
  const clocks = new Clocks();
  const identity = await withKeys([rsa], { clockToleranceMs: 5_000 }, clocks);
  const token = signed(rsa, { sub: 'alice', exp: clocks.seconds + 60 });
  t.equal(judge(identity, token), 'alice');
  clocks.pass(64_999);
  t.equal(judge(identity, token), 'alice', 'within the tolerance');
  clocks.pass(1);
  t.strictSame(judge(identity, token), ['token_expired']);
  const old = signed(rsa, { sub: 'alice', exp: clocks.seconds - 60 });
  t.strictSame(judge(identity, old), ['token_expired']);
  t.strictSame(judge(identity, old), ['token_expired'], 'again');
});

void t.test('a token that is not valid yet names nobody until it is', async (t) => {
  const clocks = new Clocks();
  const identity = await withKeys([rsa], { clockToleranceMs: 5_000 }, clocks);
  const token = signed(rsa, { sub: 'alice', nbf: clocks.seconds + 60 });
  t.strictSame(judge(identity, token), ['token_not_yet_valid']);
  clocks.pass(54_999);
  t.strictSame(judge(identity, token), ['token_not_yet_valid']);
  clocks.pass(1);
  t.equal(judge(identity, token), 'alice');
});

void t.test('times that are no numbers make a token unusable, absent ones do not', async (t) => {
  const identity = createIdentity([secretSource()]);
  for (const claims of [{ exp: '2999999999' }, { exp: null }, { nbf: 'x' }, { nbf: [] }]) {
    t.strictSame(judge(identity, hmacSigned(SECRET, { sub: 'alice', ...claims })), ['token_claim']);
  }
  t.equal(judge(identity, hmacSigned(SECRET, { sub: 'alice' })), 'alice');
  const never = hmacSigned(SECRET, { sub: 'alice', nbf: 1e300 });
  t.strictSame(judge(identity, never), ['token_not_yet_valid']);
  t.strictSame(judge(identity, never), ['token_not_yet_valid'], 'again');
});

void t.test('issuer and audience have to be there and be right', async (t) => {
  const identity = await withKeys([rsa], { issuer: 'https://issuer.example', audience: 'shop' });
  const right = { sub: 'alice', iss: 'https://issuer.example', aud: 'shop' };
  const judged = (claims: Record<string, unknown>): string | readonly string[] =>
    judge(identity, signed(rsa, { ...right, ...claims }));
  t.equal(judged({}), 'alice');
  t.equal(judged({ aud: ['other', 'shop'] }), 'alice');
  t.strictSame(judged({ iss: 'https://issuer.example/' }), ['token_issuer']);
  t.strictSame(judged({ iss: undefined }), ['token_issuer']);
  t.strictSame(judged({ iss: ['https://issuer.example'] }), ['token_issuer']);
  t.strictSame(judged({ aud: 'shopper' }), ['token_audience']);
  t.strictSame(judged({ aud: ['other'] }), ['token_audience']);
  t.strictSame(judged({ aud: undefined }), ['token_audience']);
});

void t.test('the configured claim names the user, also a nested or a numeric one', async (t) => {
  const judged = (claim: string, claims: Record<string, unknown>): string | readonly string[] =>
    judge(createIdentity([secretSource({ claim })]), hmacSigned(SECRET, claims));
  t.equal(judged('account.id', { sub: 'x', account: { id: 42 } }), '42');
  t.strictSame(judged('account.id', { sub: 'x' }), ['token_claim']);
  t.strictSame(judged('sub', { sub: '' }), ['token_claim']);
  t.strictSame(judged('sub', { sub: ['a'] }), ['token_claim']);
  t.strictSame(judged('sub', { sub: 2 ** 53 }), ['token_claim'], 'not exact');
  t.strictSame(judged('constructor', {}), ['token_claim']);
  t.strictSame(judged('sub', { sub: 'a\nb' }), ['user_control_characters']);
  t.strictSame(judged('sub', { sub: 'a\ud800' }), ['user_not_utf8']);
  t.strictSame(judged('sub', { sub: 'é'.repeat(129) }), ['user_too_long']);
});

void t.test('what is no token is refused, whatever it is', async (t) => {
  const identity = createIdentity([secretSource()]);
  const good = hmacSigned(SECRET, { sub: 'alice' });
  const malformed = [
    'x',
    '.',
    '..',
    'a.b.c',
    `${good}.x`,
    'é.é.é',
    'x'.repeat(20_000),
    '[].e30.AA',
    'bnVsbA.e30.AA',
  ];
  for (const token of malformed) {
    t.strictSame(judge(identity, token), ['token_malformed'], token.slice(0, 40));
  }
  for (const token of [`${good}=`, `${good} x`, `${good}é`]) {
    t.strictSame(judge(identity, token), ['token_signature'], 'a signature is base64url');
  }
  for (const payload of ['[]', 'null', '1', '"x"', '{']) {
    const input = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
    t.match(identifyNow(identity, bearer(`${input}.AA`)), { user: undefined }, payload);
  }
});

void t.test('a token with a critical header that nobody understands is refused', async (t) => {
  const identity = createIdentity([secretSource()]);
  const token = hmacSigned(SECRET, { sub: 'alice' }, { crit: ['exotic'], exotic: true });
  t.strictSame(judge(identity, token), ['token_critical_header']);
});

void t.test('a token is found where the configuration says', async (t) => {
  const token = hmacSigned(SECRET, { sub: 'alice' });
  const found = (changes: Parameters<typeof secretSource>[0], headers: [string, string][]): Identified =>
    identifyNow(createIdentity([secretSource(changes)]), request({ headers }));
  t.equal(found({ cookie: 'session' }, [['cookie', `a=b; session=${token}`]]).user, 'alice');
  t.equal(found({ cookie: 'session' }, [['authorization', `Bearer ${token}`]]).user, undefined);
  t.equal(found({ header: 'x-token' }, [['x-token', `Bearer ${token}`]]).user, 'alice');
  t.equal(found({ header: 'x-token' }, [['x-token', token]]).user, 'alice');
  t.equal(found({}, [['authorization', `BEARER  ${token}`]]).user, 'alice');
  t.strictSame(found({}, [['authorization', token]]).rejected, [], 'no scheme, no token');
  t.strictSame(found({}, [['authorization', `Token ${token}`]]).rejected, []);
  const twice: [string, string][] = [
    ['authorization', 'Basic YTpi'],
    ['authorization', `Bearer ${token}`],
  ];
  t.strictSame(found({}, twice).rejected, ['header_duplicate']);
});

void t.test('a secret that is a key pair, or that has no HMAC algorithm, is refused at once', async (t) => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  t.throws(() => secretKey(` \n${pem}`, ['HS256']), /PEM/);
  t.throws(() => createIdentity([secretSource({ algorithms: ['RS256'] })]), /HS256/);
});
