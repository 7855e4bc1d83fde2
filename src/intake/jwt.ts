/**
 * Verifies JSON Web Tokens. The library checks form, algorithm and signature; the claims are checked here,
 * because it skips the check of an issuer or audience that the token does not have, and because time is an
 * argument here.
 *
 * A verified token is cached under its SHA-256: the token itself, which is a credential, is not kept. The
 * cache says nothing of time: expiry is checked on every use. Nor does it outlive its key: an entry counts
 * only while the key that verified it is published.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { User } from '../model.ts';
import { TokenClaims } from './claims.ts';
import type { UserProblem } from './user-key.ts';
import { readUser } from './user-key.ts';
import type { VerificationKey } from './verification-key.ts';

/** Why a token was not believed. `keys_unavailable` alone says nothing against the token. */
export type TokenProblem =
  | 'token_malformed'
  | 'token_algorithm'
  | 'token_signature'
  | 'token_critical_header'
  | 'token_key_unknown'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issuer'
  | 'token_audience'
  | 'token_claim'
  | 'keys_unavailable'
  | UserProblem;

export interface VerifiedToken {
  readonly user: User;
  readonly claims: TokenClaims;
}

export type TokenReading = VerifiedToken | TokenProblem;

/** Where keys come from; see `Jwks`. */
export interface KeySource {
  readonly isUsable: boolean;
  find(kid: string | undefined): readonly VerificationKey[];
  has(key: VerificationKey): boolean;
  touch(): void;
  refresh(): Promise<void> | undefined;
}

/** One key that never changes: a secret. */
export class FixedKey implements KeySource {
  readonly isUsable = true;
  readonly #keys: readonly [VerificationKey];

  constructor(key: VerificationKey) {
    this.#keys = [key];
  }

  /** A shared secret has no name: whatever the token calls it, it is this one. */
  find(): readonly VerificationKey[] {
    return this.#keys;
  }

  has(): boolean {
    return true;
  }

  touch(): void {}

  refresh(): undefined {}
}

export interface TokenPolicy {
  /** The claim that names the user. */
  readonly claim: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly clockToleranceMs: number;
}

const TOKEN_LENGTH_MAX = 16_384;
const CACHE_ENTRIES_MAX = 10_000;
/** By the length of the tokens; what is kept of a token is about as long. */
const CACHE_LENGTH_MAX = 8 * 1024 * 1024;

interface CachedToken {
  readonly token: VerifiedToken;
  readonly key: VerificationKey;
  readonly notBeforeMs: number;
  readonly expiresMs: number;
  readonly length: number;
}

interface TokenHead {
  readonly algorithm: string;
  readonly kid: string | undefined;
}

export class TokenVerifier {
  readonly #keys: KeySource;
  readonly #policy: TokenPolicy;
  readonly #nowMs: () => number;
  readonly #cache = new LRUCache<string, CachedToken>({
    max: CACHE_ENTRIES_MAX,
    maxSize: CACHE_LENGTH_MAX,
    sizeCalculation: (entry) => entry.length,
  });

  /** @param nowMs milliseconds since the epoch */
  constructor(keys: KeySource, policy: TokenPolicy, nowMs: () => number) {
    this.#keys = keys;
    this.#policy = policy;
    this.#nowMs = nowMs;
  }

  /**
   * Verifies a token. A promise only if `mayWait` and a key has to be fetched first; it never rejects.
   * Without `mayWait` the fetch is begun, and the token not believed this time.
   */
  verify(token: string, mayWait: boolean): TokenReading | Promise<TokenReading> {
    if (token.length > TOKEN_LENGTH_MAX) return 'token_malformed';
    this.#keys.touch();
    const digest = hash('sha256', token, 'base64');
    const cached = this.#cache.get(digest);
    if (cached !== undefined && this.#keys.has(cached.key)) {
      return this.#timeProblem(cached.notBeforeMs, cached.expiresMs) ?? cached.token;
    }
    const head = headOf(token);
    if (head === undefined) return 'token_malformed';
    const keys = this.#keys.find(head.kid);
    if (keys.length > 0) return this.#verifyWith(keys, head, token, digest);
    const refreshed = this.#keys.refresh();
    if (refreshed === undefined || !mayWait) return this.#withoutKey();
    return refreshed.then(() => {
      const fetched = this.#keys.find(head.kid);
      return fetched.length > 0 ? this.#verifyWith(fetched, head, token, digest) : this.#withoutKey();
    });
  }

  #withoutKey(): TokenProblem {
    return this.#keys.isUsable ? 'token_key_unknown' : 'keys_unavailable';
  }

  #verifyWith(
    keys: readonly VerificationKey[],
    head: TokenHead,
    token: string,
    digest: string,
  ): TokenReading {
    let problem: TokenProblem = 'token_algorithm';
    for (const key of keys) {
      // The algorithm of the key counts. `none` is no key's, and HS256 no public key's.
      if (!key.algorithms.includes(head.algorithm)) continue;
      let payload: unknown;
      try {
        payload = key.verify(token);
      } catch (error) {
        problem = problemOf(error);
        continue;
      }
      return this.#accept(payload, key, token.length, digest);
    }
    return problem;
  }

  #accept(payload: unknown, key: VerificationKey, length: number, digest: string): TokenReading {
    // The library hands out errors as payloads in one odd case; an Error is no claim set.
    if (typeof payload !== 'object' || payload === null || payload instanceof Error) return 'token_malformed';
    const notBeforeMs = timeClaim(payload, 'nbf', Number.NEGATIVE_INFINITY);
    const expiresMs = timeClaim(payload, 'exp', Number.POSITIVE_INFINITY);
    if (notBeforeMs === undefined || expiresMs === undefined) return 'token_claim';
    const { issuer, audience, claim } = this.#policy;
    if (issuer !== undefined && Reflect.get(payload, 'iss') !== issuer) return 'token_issuer';
    if (audience !== undefined && !isFor(Reflect.get(payload, 'aud'), audience)) return 'token_audience';
    const claims = new TokenClaims(payload);
    const name = claims.user(claim);
    if (name === undefined || name === null || name === '') return 'token_claim';
    const { user, problem } = readUser(name);
    if (user === undefined) return problem ?? 'token_claim';
    const token: VerifiedToken = { user, claims };
    const tooSoonOrLate = this.#timeProblem(notBeforeMs, expiresMs);
    if (tooSoonOrLate !== 'token_expired') {
      this.#cache.set(digest, { token, key, notBeforeMs, expiresMs, length });
    }
    return tooSoonOrLate ?? token;
  }

  #timeProblem(notBeforeMs: number, expiresMs: number): TokenProblem | undefined {
    const nowMs = this.#nowMs();
    const { clockToleranceMs } = this.#policy;
    // RFC 7519 section 4.1.4: on the second of its expiry a token is no longer valid.
    if (nowMs >= expiresMs + clockToleranceMs) return 'token_expired';
    return nowMs < notBeforeMs - clockToleranceMs ? 'token_not_yet_valid' : undefined;
  }
}

/** What the token says of how it is signed: a claim like any other, used only to choose a key. */
function headOf(token: string): TokenHead | undefined {
  const dot = token.indexOf('.');
  if (dot <= 0) return undefined;
  try {
    const head: unknown = JSON.parse(Buffer.from(token.slice(0, dot), 'base64url').toString('utf8'));
    if (typeof head !== 'object' || head === null) return undefined;
    const algorithm: unknown = Reflect.get(head, 'alg');
    const kid: unknown = Reflect.get(head, 'kid');
    if (typeof algorithm !== 'string') return undefined;
    if (kid !== undefined && typeof kid !== 'string') return undefined;
    return { algorithm, kid };
  } catch {
    return undefined;
  }
}

/** Seconds since the epoch as milliseconds; `absent` without the claim, `undefined` if it is not a number. */
function timeClaim(payload: object, name: string, absent: number): number | undefined {
  if (!Object.hasOwn(payload, name)) return absent;
  const seconds: unknown = Reflect.get(payload, name);
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

function isFor(audiences: unknown, audience: string): boolean {
  return Array.isArray(audiences) ? audiences.includes(audience) : audiences === audience;
}

function problemOf(error: unknown): TokenProblem {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'FAST_JWT_INVALID_ALGORITHM':
      return 'token_algorithm';
    case 'FAST_JWT_INVALID_SIGNATURE':
    case 'FAST_JWT_MISSING_SIGNATURE':
    case 'FAST_JWT_VERIFY_ERROR':
      return 'token_signature';
    case 'FAST_JWT_INVALID_CRIT_HEADER':
      return 'token_critical_header';
    default:
      return 'token_malformed';
  }
}
