/** Starts a sample shop in this process, on a store in a temp folder, and talks to it by real HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Faults, NO_FAULTS } from '../../src/demo/new/faults.ts';
import { startShop } from '../../src/demo/start-shop.ts';
import type { Backend } from '../../src/model.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface TestShop {
  readonly port: number;
  copyTo(host: string, port: number): void;
  call(method: string, path: string, options?: { user?: string; json?: unknown }): Promise<Reply>;
  close(): Promise<void>;
}

export interface TestShopOptions {
  readonly file: string;
  /** The system's choice unless given. */
  readonly port?: number;
  readonly faults?: Faults;
  readonly random?: () => number;
}

export async function testShop(shop: Backend, options: TestShopOptions): Promise<TestShop> {
  const defects: unknown[] = [];
  const server = await startShop({
    shop,
    host: '127.0.0.1',
    port: options.port ?? 0,
    file: options.file,
    faults: options.faults ?? NO_FAULTS,
    now: () => new Date('2026-11-21T08:15:42.123Z'),
    random: options.random ?? (() => 0.5),
    onDefect: (error) => defects.push(error),
  });
  return {
    port: server.port,
    copyTo: (host, port) => server.copyTo(host, port),
    call: async (method, path, { user, json } = {}) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        method,
        headers: {
          ...(user === undefined ? {} : { 'x-user-id': user }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      const text = await response.text();
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      return { status: response.status, headers: response.headers, body };
    },
    close: async () => {
      await server.close();
      if (defects.length > 0) throw new AggregateError(defects, 'the shop met defects');
    },
  };
}

export async function tempFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'turnout-demo-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The value at a path such as `user.name` or `items.0.sku`; `undefined` when there is none. */
export function at(body: unknown, path: string): unknown {
  let value = body;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(name);
  }
  return value;
}

export function list(body: unknown, path: string): readonly unknown[] {
  const value = at(body, path);
  if (!Array.isArray(value)) throw new TypeError(`no list at ${path}`);
  return value;
}
