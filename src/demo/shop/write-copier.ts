/**
 * Copies each write of a shop to the other one, in the order in which they were made: what a team does that runs two
 * systems on the same users, with a job of its own. Turnout has no part in it.
 *
 * Modes: idle → copying → idle, or, when the other shop does not answer, → behind → copying. A writer waits for the copy,
 * so that both shops have what was acknowledged; while it is behind nobody waits. What is behind lives in memory: a
 * real job would keep it in the database, in the transaction of the write.
 */
import { setTimeout as passed } from 'node:timers/promises';
import { Agent, request } from '../../node-http.ts';

export interface CopiedWrite {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The value of `x-user-id`. */
  readonly user: string | undefined;
  /** The parsed JSON body; `undefined` when there is none. */
  readonly body: unknown;
}

/** On a request that is a copy, so that it is not copied back. */
export const COPY_HEADER = 'x-shop-copy';

/** How long a writer waits for the copy. */
const WAIT_MS = 500;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 5_000;
const WAITING_MAX = 10_000;

interface Waiting {
  readonly write: CopiedWrite;
  readonly done: () => void;
}

export class WriteCopier {
  readonly #onTrouble: (error: Error) => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #stopping = new AbortController();
  #to: { readonly host: string; readonly port: number } | undefined;
  #waiting: Waiting[] = [];
  #isSending = false;
  #isBehind = false;
  #isTroubleTold = false;

  /** @param onTrouble told once, of the first write that the other shop will never have */
  constructor(onTrouble: (error: Error) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Where the other shop is. Nothing is copied before. */
  copyTo(host: string, port: number): void {
    this.#to = { host, port };
  }

  /** Resolves when the other shop has the write, or when nobody should wait for that any longer. Never rejects. */
  async copy(write: CopiedWrite): Promise<void> {
    if (this.#to === undefined || this.#stopping.signal.aborted) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#trouble(
        `${WAITING_MAX} writes wait to be copied to the other shop: this one will be missing there`,
      );
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ write, done: resolve });
    void this.#sendAll(this.#to);
    if (this.#isBehind) return;
    const late = setTimeout(() => this.#fallBehind(), WAIT_MS);
    await promise;
    clearTimeout(late);
  }

  close(): void {
    this.#stopping.abort();
    this.#agent.destroy();
    this.#fallBehind();
    this.#waiting = [];
  }

  #fallBehind(): void {
    this.#isBehind = true;
    for (const { done } of this.#waiting) done();
  }

  async #sendAll(to: { readonly host: string; readonly port: number }): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    let pauseMs = RETRY_FIRST_MS;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const status = await this.#send(first.write, to);
      if (this.#stopping.signal.aborted) break;
      if (status === undefined || status >= 500) {
        this.#fallBehind();
        await passed(pauseMs, undefined, { signal: this.#stopping.signal, ref: false }).catch(
          () => undefined,
        );
        pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
        continue;
      }
      pauseMs = RETRY_FIRST_MS;
      const { method, path } = first.write;
      if (status >= 400) this.#trouble(`the other shop answers ${status} to a copy of ${method} ${path}`);
      this.#waiting.shift();
      first.done();
    }
    this.#isSending = false;
    this.#isBehind = false;
  }

  /**
   * Without a deadline: a copy that was given up may have been made all the same, and an order must not be placed twice.
   * @returns the status; `undefined` when the connection failed
   */
  #send(
    { method, path, user, body }: CopiedWrite,
    to: { readonly host: string; readonly port: number },
  ): Promise<number | undefined> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      [COPY_HEADER]: '1',
      ...(user === undefined ? {} : { 'x-user-id': user }),
      ...(json === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
    };
    return new Promise((resolve) => {
      const sent = request({ ...to, method, path, headers, agent: this.#agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
        response.on('error', () => resolve(undefined));
      });
      sent.on('error', () => resolve(undefined));
      sent.end(json);
    });
  }

  #trouble(reason: string): void {
    if (this.#isTroubleTold) return;
    this.#isTroubleTold = true;
    this.#onTrouble(new Error(reason));
  }
}
