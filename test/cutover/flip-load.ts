/** Users who write and read all the time, and what the two backends saw of it. */

import type { Backend } from '../../src/model.ts';
import { type Backend as BackendServer, startBackend, takeBody } from '../harness/backend.ts';
import type { Teardown } from '../harness/teardown.ts';

export interface Applied {
  readonly owner: Backend;
  readonly user: string;
}

/** Two backends that note every write in the one order in which they applied it. */
export class RecordingBackends {
  readonly applied: Applied[] = [];
  #servers: { readonly [B in Backend]: BackendServer } | undefined;

  static async start(t: Teardown): Promise<RecordingBackends> {
    const backends = new RecordingBackends();
    const serve = (owner: Backend) =>
      startBackend(t, async (request, response, seen) => {
        await takeBody(request, seen);
        const user = String(request.headers['x-user']);
        if (request.method !== 'GET') {
          // A write takes a while, now and then longer than a flip, and counts when it is through.
          const ms = Math.random() < 0.05 ? 400 : Math.random() * 8;
          await new Promise((resolve) => setTimeout(resolve, ms));
          backends.applied.push({ owner, user });
        }
        response.end(owner);
      });
    backends.#servers = { legacy: await serve('legacy'), new: await serve('new') };
    return backends;
  }

  port(owner: Backend): number {
    return this.#servers?.[owner].port ?? 0;
  }
}

export class FlipLoad {
  readonly failures: string[] = [];
  /** Reads that saw the old truth after a write to the new one was acknowledged. */
  readonly stale: string[] = [];
  writes = 0;
  reads = 0;
  /** Counts the flips that were asked for. */
  flip = 0;
  target: Backend = 'legacy';
  readonly #ports: readonly number[];
  /** By user, the flip during which a write was last acknowledged by its target. */
  readonly #moved = new Map<string, number>();
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  run(users: readonly string[]): void {
    this.#running = Promise.all(users.flatMap((user) => [this.#write(user), this.#read(user)]));
  }

  /** Resolves when every client has its last answer. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #send(user: string, method: string, body: string | null): Promise<string | undefined> {
    const port = this.#ports[Math.floor(Math.random() * this.#ports.length)];
    const answer = await fetch(`http://127.0.0.1:${port}/things`, {
      method,
      body,
      headers: { 'x-user': user },
    });
    const text = await answer.text();
    if (answer.status === 200) return text;
    this.failures.push(`${method} of ${user}: ${answer.status} ${text}`);
    return undefined;
  }

  async #write(user: string): Promise<void> {
    for (let n = 0; !this.#stopping; n += 1) {
      const { flip } = this;
      const owner = await this.#send(user, 'POST', `${user} ${n}`);
      this.writes += 1;
      if (owner === this.target && flip === this.flip) this.#moved.set(user, flip);
      await pause();
    }
  }

  async #read(user: string): Promise<void> {
    while (!this.#stopping) {
      const { flip } = this;
      const moved = this.#moved.get(user) === flip;
      const owner = await this.#send(user, 'GET', null);
      this.reads += 1;
      if (moved && flip === this.flip && owner !== this.target) {
        this.stale.push(`${user} read from ${owner} in flip ${flip}`);
      }
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 30));
}

/** How often the owner of a user's applied writes changed, by user. */
export function ownerChanges(applied: readonly Applied[]): ReadonlyMap<string, number> {
  const changes = new Map<string, number>();
  const last = new Map<string, Backend>();
  for (const { owner, user } of applied) {
    const before = last.get(user);
    if (before !== undefined && before !== owner) changes.set(user, (changes.get(user) ?? 0) + 1);
    last.set(user, owner);
  }
  return changes;
}
