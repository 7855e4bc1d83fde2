/**
 * The public keys that an issuer publishes, fetched, cached and rotated.
 *
 *  - Keys older than `cacheMs` are fetched anew in the background; the old ones serve meanwhile.
 *  - A token that names an unknown key makes one fetch, for which it waits: the issuer may have rotated. There
 *    is at most one attempt in `cooldownMs`, so that invented key names do not become a flood at the issuer.
 *  - When a fetch fails, the old keys stay valid, until they are `JWKS_STALE_MAX_MS` old.
 *  - Fetches that overlap are one fetch.
 */

import type { VerificationKey } from './verification-key.ts';
import { publicKeysOf } from './verification-key.ts';

/** Old keys stay valid for a day while the issuer cannot be reached; then a revoked one has to end. */
export const JWKS_STALE_MAX_MS = 24 * 60 * 60 * 1000;

/** While there are no usable keys at all, a fetch is tried again after this, if the cooldown is not shorter. */
const RETRY_MS = 1_000;

/** @returns the body of the document; rejects when it cannot be had within bounds of time and size */
export type FetchJwks = (url: string) => Promise<string>;

export interface JwksObserver {
  identityKeysLoaded(url: string, keys: number): void;
  /** The old keys, if there are any, stay in use. */
  identityKeysFailed(url: string, cause: unknown): void;
}

export interface JwksOptions {
  readonly url: string;
  readonly cacheMs: number;
  readonly cooldownMs: number;
  readonly algorithms: readonly string[];
  readonly fetchJwks: FetchJwks;
  /** Milliseconds of a monotonic clock. */
  readonly elapsedMs: () => number;
  readonly observer: JwksObserver | undefined;
}

export class Jwks {
  readonly #options: JwksOptions;
  #keys: readonly VerificationKey[] = [];
  #loadedAtMs: number | undefined;
  #attemptedAtMs: number | undefined;
  #fetching: Promise<void> | undefined;

  constructor(options: JwksOptions) {
    this.#options = options;
  }

  /** Whether there are keys, or an empty set of them, that may still be believed. */
  get isUsable(): boolean {
    return this.#loadedAtMs !== undefined && this.#options.elapsedMs() - this.#loadedAtMs < JWKS_STALE_MAX_MS;
  }

  /** The keys with this name; all of them for a token that names none. Empty while the set is not usable. */
  find(kid: string | undefined): readonly VerificationKey[] {
    if (!this.isUsable) return [];
    return kid === undefined ? this.#keys : this.#keys.filter((key) => key.kid === kid);
  }

  /** Whether a token that was verified with this key before may still be believed. */
  has(key: VerificationKey): boolean {
    return this.isUsable && this.#keys.includes(key);
  }

  /** Call for every token: begins a fetch in the background when the keys have become old. */
  touch(): void {
    const loadedAtMs = this.#loadedAtMs;
    if (loadedAtMs !== undefined && this.#options.elapsedMs() - loadedAtMs < this.#options.cacheMs) return;
    void this.refresh();
  }

  /**
   * Fetches the keys, or joins the fetch under way. The promise never rejects.
   * @returns `undefined` while the last attempt is too recent for another
   */
  refresh(): Promise<void> | undefined {
    if (this.#fetching !== undefined) return this.#fetching;
    const nowMs = this.#options.elapsedMs();
    const { cooldownMs } = this.#options;
    const pauseMs = this.isUsable ? cooldownMs : Math.min(cooldownMs, RETRY_MS);
    if (this.#attemptedAtMs !== undefined && nowMs - this.#attemptedAtMs < pauseMs) return undefined;
    this.#attemptedAtMs = nowMs;
    this.#fetching = this.#fetch(nowMs);
    return this.#fetching;
  }

  async #fetch(begunAtMs: number): Promise<void> {
    const { url, algorithms, fetchJwks, observer } = this.#options;
    try {
      this.#replace(publicKeysOf(await fetchJwks(url), algorithms));
      // Counted from the beginning: the answer may be as old as that.
      this.#loadedAtMs = begunAtMs;
      observer?.identityKeysLoaded(url, this.#keys.length);
    } catch (cause) {
      observer?.identityKeysFailed(url, cause);
    } finally {
      this.#fetching = undefined;
    }
  }

  /** Keeps the objects of keys that did not change: cached tokens are bound to them. */
  #replace(fetched: readonly VerificationKey[]): void {
    const known = new Map(this.#keys.map((key) => [key.fingerprint, key]));
    this.#keys = fetched.map((key) => known.get(key.fingerprint) ?? key);
  }
}
