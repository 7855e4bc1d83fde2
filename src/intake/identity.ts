/**
 * Who a request belongs to. The sources are asked in the order of the configuration; the first that names a
 * valid user wins. The others are still read, so that a disagreement does not go unnoticed.
 *
 * A source that is present and cannot be believed (an invalid token, a header sent twice, a key with control
 * characters) ends the search: the request has no user. If the next source were asked, whoever spoils a token
 * could be anybody that a weaker source lets them be. An empty value counts as absent.
 */
import type { IdentitySource } from '../config/model.ts';
import type { User } from '../model.ts';
import { fetchJson } from '../upstream/fetch-json.ts';
import type { TokenClaims } from './claims.ts';
import type { IdentityProblem, SourceReader, SourceReading } from './identity-source.ts';
import { createSourceReader } from './identity-source.ts';
import type { FetchJwks, JwksObserver } from './jwks.ts';

/** What identity reads of a request. */
export interface IdentityInput {
  /** The query as sent, without its question mark. */
  readonly query: string;
  /** A header's value, one character for a byte, by its lower-case name. */
  header(name: string): string | undefined;
  /** How often the header was sent. Pieces of `cookie` in HTTP/2 are one header: join them with `; `. */
  headerCount(name: string): number;
  /** A parameter of the route's pattern, decoded. */
  param(name: string): string | undefined;
}

export interface Identified {
  readonly user: User | undefined;
  /** The claims of the token that names the user; none if no token does. */
  readonly claims: TokenClaims | undefined;
  /** Why sources that spoke were not believed; from the fixed list of `IdentityProblem`. */
  readonly rejected: readonly IdentityProblem[];
  /** Two sources named different users; the first listed won. */
  readonly conflict: boolean;
  /**
   * There is a token, and no key to check it with: nobody knows whether there is a user. To treat the request
   * as anonymous could send a user's write to a backend that does not own it.
   */
  readonly unverifiable: boolean;
}

export interface IdentityDeps {
  readonly fetchJwks?: FetchJwks;
  /** Milliseconds since the epoch, for the validity of tokens. */
  readonly nowMs?: () => number;
  /** Milliseconds of a monotonic clock, for the age of keys. */
  readonly elapsedMs?: () => number;
  readonly observer?: JwksObserver;
}

export interface Identity {
  /** A promise only where a key has to be fetched before the user is known. It never rejects. */
  identify(input: IdentityInput): Identified | Promise<Identified>;
  /** Fetches the keys ahead of the first request. Never rejects: tokens fetch again what is missing. */
  warmUp(): Promise<void>;
}

const NOTHING_REJECTED: readonly IdentityProblem[] = Object.freeze([]);
const NOBODY: Identified = Object.freeze({
  user: undefined,
  claims: undefined,
  rejected: NOTHING_REJECTED,
  conflict: false,
  unverifiable: false,
});

/**
 * Prepares the sources of a configuration.
 * @throws Error for a secret that cannot be one; see `secretKey`
 */
export function createIdentity(sources: readonly IdentitySource[], deps: IdentityDeps = {}): Identity {
  const complete = {
    fetchJwks: deps.fetchJwks ?? fetchJson,
    nowMs: deps.nowMs ?? Date.now,
    elapsedMs: deps.elapsedMs ?? (() => performance.now()),
    observer: deps.observer,
  };
  return new OrderedIdentity(sources.map((source) => createSourceReader(source, complete)));
}

class OrderedIdentity implements Identity {
  readonly #readers: readonly SourceReader[];

  constructor(readers: readonly SourceReader[]) {
    this.#readers = readers;
  }

  identify(input: IdentityInput): Identified | Promise<Identified> {
    for (let i = 0; i < this.#readers.length; i += 1) {
      const reading = this.#readers[i]?.read(input, true);
      if (reading === undefined) continue;
      if (reading instanceof Promise) return reading.then((late) => this.#settle(input, i, late));
      return this.#settle(input, i, reading);
    }
    return NOBODY;
  }

  async warmUp(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.warmUp()));
  }

  /** The source at `index` is the first that says something: it decides, the ones after it can only contradict. */
  #settle(input: IdentityInput, index: number, reading: SourceReading): Identified {
    const { user, problem } = reading;
    if (user === undefined) {
      return {
        user: undefined,
        claims: undefined,
        rejected: problem === undefined ? NOTHING_REJECTED : [problem],
        conflict: false,
        unverifiable: problem === 'keys_unavailable',
      };
    }
    let { claims } = reading;
    let rejected = NOTHING_REJECTED;
    let conflict = false;
    for (let i = index + 1; i < this.#readers.length; i += 1) {
      // Not worth waiting for a key: the user is known.
      const other = this.#readers[i]?.read(input, false);
      if (other === undefined || other instanceof Promise) continue;
      if (other.problem !== undefined) rejected = [...rejected, other.problem];
      else if (other.user !== user) conflict = true;
      // The claims of another user's token say nothing of this one.
      else claims ??= other.claims;
    }
    return { user, claims, rejected, conflict, unverifiable: false };
  }
}
