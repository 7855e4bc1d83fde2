/** One source of identity each: what a request says of its user in one place. */
import type { IdentitySource } from '../config/model.ts';
import type { User } from '../model.ts';
import type { TokenClaims } from './claims.ts';
import { cookieValue } from './cookies.ts';
import type { IdentityInput } from './identity.ts';
import type { FetchJwks, JwksObserver } from './jwks.ts';
import { Jwks } from './jwks.ts';
import type { KeySource, TokenProblem, TokenReading } from './jwt.ts';
import { FixedKey, TokenVerifier } from './jwt.ts';
import { readQuery } from './query.ts';
import type { UserProblem, UserReading } from './user-key.ts';
import { readUser, readUserBytes } from './user-key.ts';
import { secretKey } from './verification-key.ts';

/** Why a source that was present was not believed. A label of a metric: the list is fixed. */
export type IdentityProblem =
  | TokenProblem
  | UserProblem
  | 'header_duplicate'
  | 'query_malformed'
  | 'query_conflicting';

/** A user, with the claims of its token if it came in one; or the problem. */
export interface SourceReading {
  readonly user: User | undefined;
  readonly claims: TokenClaims | undefined;
  readonly problem: IdentityProblem | undefined;
}

export interface SourceReader {
  /**
   * What the request says here; `undefined` if it says nothing. A promise, which never rejects, only if
   * `mayWait`.
   */
  read(input: IdentityInput, mayWait: boolean): SourceReading | undefined | Promise<SourceReading>;
  warmUp(): Promise<void>;
}

export interface SourceDeps {
  readonly fetchJwks: FetchJwks;
  readonly nowMs: () => number;
  readonly elapsedMs: () => number;
  readonly observer: JwksObserver | undefined;
}

/** @throws Error for a secret that cannot be one */
export function createSourceReader(source: IdentitySource, deps: SourceDeps): SourceReader {
  switch (source.from) {
    case 'jwt':
      return new TokenSource(source, deps);
    case 'header':
      return new PlainSource((input) => readHeader(input, source.name));
    case 'cookie':
      return new PlainSource((input) => readCookie(input, source.name));
    case 'path':
      return new PlainSource((input) => readPath(input, source.name));
    case 'query':
      return new PlainSource((input) => readQueryUser(input, source.name));
    default:
      source satisfies never;
      throw new Error('an identity source of an unknown kind');
  }
}

function rejectedAs(problem: IdentityProblem): SourceReading {
  return { user: undefined, claims: undefined, problem };
}

function named({ user, problem }: UserReading): SourceReading {
  return { user, claims: undefined, problem };
}

class PlainSource implements SourceReader {
  readonly read: (input: IdentityInput) => SourceReading | undefined;

  constructor(read: (input: IdentityInput) => SourceReading | undefined) {
    this.read = read;
  }

  async warmUp(): Promise<void> {}
}

function readHeader(input: IdentityInput, name: string): SourceReading | undefined {
  const value = input.header(name);
  if (value === undefined) return undefined;
  // Sent twice, it is not known which one a backend takes.
  if (input.headerCount(name) > 1) return rejectedAs('header_duplicate');
  return value === '' ? undefined : named(readUserBytes(value));
}

function readCookie(input: IdentityInput, name: string): SourceReading | undefined {
  const header = input.header('cookie');
  if (header === undefined) return undefined;
  if (input.headerCount('cookie') > 1) return rejectedAs('header_duplicate');
  const value = cookieValue(header, name);
  return value === undefined || value === '' ? undefined : named(readUserBytes(value));
}

/** A parameter that is not UTF-8 is absent: the router does not give it out. */
function readPath(input: IdentityInput, name: string): SourceReading | undefined {
  const value = input.param(name);
  return value === undefined || value === '' ? undefined : named(readUser(value));
}

function readQueryUser(input: IdentityInput, name: string): SourceReading | undefined {
  const reading = readQuery(input.query, name);
  switch (reading.kind) {
    case 'absent':
      return undefined;
    case 'malformed':
      return rejectedAs('query_malformed');
    case 'conflicting':
      return rejectedAs('query_conflicting');
    case 'value':
      return reading.value === '' ? undefined : named(readUser(reading.value));
    default:
      reading satisfies never;
      return undefined;
  }
}

type TokenSourceModel = Extract<IdentitySource, { from: 'jwt' }>;

class TokenSource implements SourceReader {
  readonly #header: string;
  readonly #cookie: string | undefined;
  readonly #keys: KeySource;
  readonly #verifier: TokenVerifier;

  constructor(source: TokenSourceModel, deps: SourceDeps) {
    this.#header = source.header;
    this.#cookie = source.cookie;
    this.#keys =
      source.key.kind === 'secret'
        ? new FixedKey(secretKey(source.key.secret, source.algorithms))
        : new Jwks({ ...source.key, ...deps, algorithms: source.algorithms });
    this.#verifier = new TokenVerifier(this.#keys, source, deps.nowMs);
  }

  read(input: IdentityInput, mayWait: boolean): SourceReading | undefined | Promise<SourceReading> {
    const carrier = this.#cookie === undefined ? this.#header : 'cookie';
    const value = input.header(carrier);
    if (value === undefined) return undefined;
    // Before the token is looked for: it may be in the other one.
    if (input.headerCount(carrier) > 1) return rejectedAs('header_duplicate');
    const token = this.#cookie === undefined ? bearerToken(value, carrier) : cookieValue(value, this.#cookie);
    if (token === undefined || token === '') return undefined;
    const reading = this.#verifier.verify(token, mayWait);
    return reading instanceof Promise ? reading.then(readingOf) : readingOf(reading);
  }

  async warmUp(): Promise<void> {
    await this.#keys.refresh();
  }
}

function readingOf(reading: TokenReading): SourceReading {
  if (typeof reading === 'string') return rejectedAs(reading);
  return { user: reading.user, claims: reading.claims, problem: undefined };
}

/**
 * The token of a header. Another scheme than `Bearer` is no token, and absent here. A header other than
 * `authorization` may carry the bare token, as some proxies write it.
 */
function bearerToken(value: string, header: string): string | undefined {
  const space = value.indexOf(' ');
  if (space < 0) return header === 'authorization' ? undefined : value;
  if (space !== 6 || value.slice(0, 6).toLowerCase() !== 'bearer') return undefined;
  return value.slice(7).trim();
}
