/**
 * Who is logged in to the console. A session is a random id in a cookie that no script can read, and here the token that
 * it began with. Kept in memory only: whoever is logged in when the process ends logs in again.
 *
 * Bounded: the session that was quiet the longest makes room. One that is not used for 12 hours is over.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { TokenModel } from '../config/model.ts';
import type { Actor } from './authentication.ts';

export const SESSION_IDLE_MS = 12 * 3_600_000;
export const SESSIONS_MAX = 256;
const ID_BYTES = 32;

interface Session {
  readonly token: TokenModel;
  usedAtMs: number;
}

export class Sessions {
  /** By the digest of their id, so that a core dump does not log anybody in. The longest quiet first. */
  readonly #sessions = new Map<string, Session>();
  readonly #nowMs: () => number;

  /** @param nowMs a monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** @returns the id, for the cookie */
  begin(token: TokenModel): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    this.#sessions.set(digestOf(id), { token, usedAtMs: this.#nowMs() });
    if (this.#sessions.size > SESSIONS_MAX) {
      const [quietest] = this.#sessions.keys();
      if (quietest !== undefined) this.#sessions.delete(quietest);
    }
    return id;
  }

  /** Who that is, and from now on it is used. @returns `undefined` when there is no such session, or no more */
  find(id: string): Actor | undefined {
    const digest = digestOf(id);
    const session = this.#sessions.get(digest);
    if (session === undefined) return undefined;
    this.#sessions.delete(digest);
    const now = this.#nowMs();
    if (now - session.usedAtMs > SESSION_IDLE_MS) return undefined;
    session.usedAtMs = now;
    this.#sessions.set(digest, session);
    return { name: session.token.name, role: session.token.role };
  }

  end(id: string): void {
    this.#sessions.delete(digestOf(id));
  }

  /** Ends those whose token is not configured any more, or says something else now. */
  keepOnly(tokens: readonly TokenModel[]): void {
    for (const [digest, { token }] of this.#sessions) {
      const isThere = tokens.some(
        ({ name, role, sha256 }) => name === token.name && role === token.role && sha256 === token.sha256,
      );
      if (!isThere) this.#sessions.delete(digest);
    }
  }
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
