/** A Redis with a replica, which takes its place when it fails. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startRedisProcess } from '../fixtures/redis.ts';
import { onFreePorts, type ServerProcess } from '../fixtures/server-process.ts';
import type { Teardown } from '../harness/teardown.ts';
import { pause } from './clock.ts';

class Node {
  readonly port: number;
  readonly #dir: string;
  #server: ServerProcess | undefined;

  constructor(dir: string, port: number) {
    this.#dir = join(dir, `${port}`);
    this.port = port;
  }

  async start(masterPort?: number): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const replica = masterPort === undefined ? [] : ['--replicaof', '127.0.0.1', `${masterPort}`];
    const quick = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'];
    const args = ['--appendonly', 'yes', ...quick, ...replica];
    this.#server = await startRedisProcess(this.port, this.#dir, args);
  }

  async kill(): Promise<void> {
    await this.#server?.end();
    this.#server = undefined;
  }

  async wipe(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#server?.signal(name);
  }

  /** One command over a connection of its own; nothing when the server does not answer. */
  async command(name: string, ...args: readonly string[]): Promise<unknown> {
    const client = new Redis(this.port, '127.0.0.1', {
      lazyConnect: true,
      connectTimeout: 1_000,
      commandTimeout: 2_000,
      retryStrategy: () => null,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.call(name, ...args);
    } catch {
      return undefined;
    } finally {
      client.disconnect();
    }
  }
}

export class RedisPair {
  #master: Node;
  #replica: Node;

  private constructor(master: Node, replica: Node) {
    this.#master = master;
    this.#replica = replica;
  }

  static async start(t: Teardown): Promise<RedisPair> {
    const dir = await mkdtemp(join(tmpdir(), 'turnout-pair-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    const pair = await onFreePorts(2, async ([first = 0, second = 0]) => {
      const master = new Node(dir, first);
      const replica = new Node(dir, second);
      t.teardown(async () => {
        await Promise.all([master.kill(), replica.kill()]);
      });
      await master.start();
      await replica.start(first);
      return new RedisPair(master, replica);
    });
    await pair.untilReplicated();
    return pair;
  }

  get port(): number {
    return this.#master.port;
  }

  /** The replica has what the master had. Gives up after a while: then a fail-over loses more. */
  async untilReplicated(): Promise<void> {
    for (let looks = 0; looks < 100; looks += 1) {
      const info = String(await this.#replica.command('INFO', 'replication'));
      if (info.includes('master_link_status:up')) return;
      await pause(50);
    }
  }

  async kill(): Promise<void> {
    await this.#master.kill();
  }

  /** Again on its port; @param withData what it had, else nothing */
  async start(withData: boolean): Promise<void> {
    if (!withData) await this.#master.wipe();
    await this.#master.start();
  }

  async flush(): Promise<void> {
    await this.#master.command('FLUSHALL');
  }

  freeze(): void {
    this.#master.signal('SIGSTOP');
  }

  thaw(): void {
    this.#master.signal('SIGCONT');
  }

  /**
   * The master dies and the replica takes its place, without what came in the last `behindMs`. The other one comes
   * back as its replica.
   *
   * @param moved is told the port of the new master, and sends everybody there
   */
  async failOver(behindMs: number, moved: (port: number) => Promise<void>): Promise<void> {
    const [old, next] = [this.#master, this.#replica];
    // From here on it hears of nothing any more.
    await next.command('REPLICAOF', 'NO', 'ONE');
    await pause(behindMs);
    await old.kill();
    this.#master = next;
    this.#replica = old;
    await moved(next.port);
    await old.wipe();
    await old.start(next.port);
  }
}
