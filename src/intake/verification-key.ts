/** Keys that verify tokens. A key is bound to its algorithms, so that a token cannot choose how it is checked. */

import type { webcrypto } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as FastJwt from 'fast-jwt';

/** RFC 7518 section 3.3: smaller RSA keys must not be used. */
const RSA_BITS_MIN = 2048;
/** Bound on the keys of one set. */
const KEYS_MAX = 100;

const SECRET_ALGORITHMS: readonly FastJwt.Algorithm[] = ['HS256', 'HS384', 'HS512'];
const RSA_ALGORITHMS: readonly FastJwt.Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
/** By curve. secp256k1 is left out on purpose: the verifier would take it for P-256. */
const CURVE_ALGORITHMS: ReadonlyMap<string, FastJwt.Algorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

const load = createRequire(import.meta.url);

/** The library is loaded with the first key: a gateway without tokens does without its megabytes. */
function verifier(key: string, algorithms: FastJwt.Algorithm[]): (token: string) => unknown {
  const { createVerifier }: typeof FastJwt = load('fast-jwt');
  return createVerifier({ key, algorithms, ignoreExpiration: true, ignoreNotBefore: true });
}

export interface VerificationKey {
  /** The `kid` under which it was published. */
  readonly kid: string | undefined;
  readonly algorithms: readonly string[];
  /** Equal for two keys that verify the same tokens under the same name. */
  readonly fingerprint: string;
  /**
   * Checks form, algorithm, critical headers and signature; not the claims.
   * @returns the payload
   * @throws the verifier's error, with a `code`
   */
  verify(token: string): unknown;
}

/**
 * The key of a shared secret.
 * @param algorithms those that the configuration allows; only HMAC ones are used
 * @throws Error when none is left, or when the secret is a key pair's public half or its private one
 */
export function secretKey(secret: string, algorithms: readonly string[]): VerificationKey {
  // Whoever knows a public key could sign with it, if it were taken for a secret.
  if (secret.includes('-----BEGIN '))
    throw new Error('a secret for tokens cannot be a PEM key or certificate');
  const allowed = SECRET_ALGORITHMS.filter((one) => algorithms.includes(one));
  if (allowed.length === 0) throw new Error('a secret for tokens needs one of HS256, HS384, HS512');
  const verify = verifier(secret, allowed);
  return { kid: undefined, algorithms: allowed, fingerprint: 'secret', verify: (token) => verify(token) };
}

/**
 * The usable keys of a JWK set (RFC 7517). Keys for encryption, of unknown kinds, too short, or for
 * algorithms that are not allowed are passed over, as the RFC asks for. Symmetric keys are never taken from
 * a published set.
 * @throws Error when the text is no JWK set
 */
export function publicKeysOf(jwks: string, algorithms: readonly string[]): VerificationKey[] {
  const document: unknown = JSON.parse(jwks);
  const entries =
    typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined;
  if (!Array.isArray(entries)) throw new Error('not a JWK set: it has no array "keys"');
  if (entries.length > KEYS_MAX) throw new Error(`a JWK set with more than ${KEYS_MAX} keys`);
  const keys: VerificationKey[] = [];
  for (const entry of entries) {
    const key = publicKeyOf(entry, algorithms);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

function publicKeyOf(entry: unknown, algorithms: readonly string[]): VerificationKey | undefined {
  const use = textAt(entry, 'use');
  if (use !== undefined && use !== 'sig') return undefined;
  const allowed = algorithmsOf(entry).filter((one) => algorithms.includes(one));
  if (allowed.length === 0) return undefined;
  try {
    const key = createPublicKey({ key: publicHalf(entry), format: 'jwk' });
    if ((key.asymmetricKeyDetails?.modulusLength ?? RSA_BITS_MIN) < RSA_BITS_MIN) return undefined;
    const pem = key.export({ type: 'spki', format: 'pem' }).toString();
    const verify = verifier(pem, allowed);
    const kid = textAt(entry, 'kid');
    const fingerprint = JSON.stringify([kid ?? null, allowed, pem]);
    return { kid, algorithms: allowed, fingerprint, verify: (token) => verify(token) };
  } catch {
    // Not a valid key of its kind. The others of the set may be.
    return undefined;
  }
}

function algorithmsOf(entry: unknown): readonly FastJwt.Algorithm[] {
  const published = textAt(entry, 'alg');
  const fitting = algorithmsOfKind(entry);
  return published === undefined ? fitting : fitting.filter((one) => one === published);
}

function algorithmsOfKind(entry: unknown): readonly FastJwt.Algorithm[] {
  switch (textAt(entry, 'kty')) {
    case 'RSA':
      return RSA_ALGORITHMS;
    case 'EC':
    case 'OKP': {
      const algorithm = CURVE_ALGORITHMS.get(textAt(entry, 'crv') ?? '');
      return algorithm === undefined ? [] : [algorithm];
    }
    default:
      return [];
  }
}

function publicHalf(entry: unknown): webcrypto.JsonWebKey {
  const half: webcrypto.JsonWebKey = {};
  for (const name of ['kty', 'crv', 'n', 'e', 'x', 'y'] as const) {
    const value = textAt(entry, name);
    if (value !== undefined) half[name] = value;
  }
  return half;
}

function textAt(entry: unknown, name: string): string | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const value: unknown = Reflect.get(entry, name);
  return typeof value === 'string' ? value : undefined;
}
