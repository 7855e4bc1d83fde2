/**
 * The demo as a test has it: its configuration with ports and a folder of its own and one cohort, both its shops, and
 * customers who read their orders.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import { NO_FAULTS, pageTotalCents, SEEDED_FAULTS } from '../../src/demo/new/faults.ts';
import { SampleBackend } from '../../src/demo/sample-backend.ts';
import { ORDER_NUMBER_STEP, type SampleUser, sampleData } from '../../src/demo/shop/sample-data.ts';
import { userKey } from '../../src/demo/shop/user-key.ts';
import type { Backend } from '../../src/model.ts';
import { TurnoutProcess } from '../cli/turnout-process.ts';
import { rootAbove } from './open-console.ts';
import { OPERATOR } from './real-gateway.ts';

/** Reads at a time, and how long each customer looks at an answer: about 40 reads a second at most. */
const LANES = 2;
const LOOKS_MS = 50;

const CUSTOMERS = sampleData().users;

export type Crowd = 'half of them differ' | 'everybody';

export interface DemoShops {
  readonly adminUrl: string;
  /** Customers read their first order, one after the other, until it is over. */
  shop(crowd: Crowd): { over(): Promise<void> };
  /** A write that has reached its backend, and whose end is still to come. */
  slowWrite(): Promise<{ end(): Promise<number> }>;
  /** Kills the new shop's process. */
  breakNew(): Promise<void>;
}

/** One whose first order the new shop adds up differently, then one of the others, and so on. */
function halfDiffer(): readonly SampleUser[] {
  const others = CUSTOMERS.filter((customer) => !firstDiffers(customer));
  return CUSTOMERS.filter(firstDiffers).flatMap((customer, at) => [customer, others[at] ?? customer]);
}

function firstDiffers({ orders: [order] }: SampleUser): boolean {
  if (order === undefined) return false;
  const full = order.lines.reduce((sum, { product, quantity }) => sum + product.priceCents * quantity, 0);
  const total = (faults: typeof NO_FAULTS) => pageTotalCents(full, order.discountPercent, faults);
  return total(NO_FAULTS) !== total(SEEDED_FAULTS);
}

async function configuration(folder: string, ports: Readonly<Record<Backend, number>>): Promise<string> {
  const root = rootAbove(import.meta.dirname);
  const demo: Record<string, unknown> = parse(await readFile(join(root, 'config/demo.yaml'), 'utf8'));
  // A write may be slow here without the change being undone: the page is to show that it is waited for. And a machine
  // that has other things to do is not a backend that fails.
  const backend = (port: number) => ({
    url: `http://127.0.0.1:${port}`,
    connectMs: 30_000,
    bodyMs: 120_000,
  });
  const own = {
    listen: { port: 0 },
    admin: { listen: { port: 0 }, tokens: [{ name: 'otto', role: 'operator', token: OPERATOR }] },
    backends: { legacy: backend(ports.legacy), new: backend(ports.new) },
    record: { kind: 'embedded', dir: join(folder, 'record') },
    cohorts: [{ name: 'everyone', default: true, stage: 'shadow' }],
    cutover: { holdMaxMs: 120_000, drainMaxMs: 110_000 },
    guard: { meanLatencyMs: 30_000 },
  };
  const file = join(folder, 'turnout.yaml');
  await writeFile(file, stringify({ ...demo, ...own }));
  return file;
}

export async function demoShops(t: Test): Promise<DemoShops> {
  const folder = t.testdir({});
  const start = async (shop: Backend): Promise<SampleBackend> => {
    const file = join(folder, `${shop}.db`);
    const report = (line: string) => t.comment(line);
    const backend = new SampleBackend({ shop, host: '127.0.0.1', port: 0, file, faults: true, report });
    t.teardown(() => backend.stop());
    await backend.start();
    return backend;
  };
  const [legacy, renewed] = await Promise.all([start('legacy'), start('new')]);
  const file = await configuration(folder, { legacy: legacy.port, new: renewed.port });
  const { port, adminPort } = await new TurnoutProcess(t, ['start', '--config', file]).ports();
  const gatewayUrl = `http://127.0.0.1:${port}`;
  return {
    adminUrl: `http://127.0.0.1:${adminPort}`,
    shop: (crowd) => shopping(t, gatewayUrl, crowd === 'everybody' ? CUSTOMERS : halfDiffer()),
    slowWrite: () => slowWrite(gatewayUrl),
    breakNew: () => renewed.breakDown(),
  };
}

/** What they are answered is not looked at here: the gateway is to notice. */
function shopping(t: Test, gatewayUrl: string, customers: readonly SampleUser[]): { over(): Promise<void> } {
  const home = new AbortController();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (!home.signal.aborted) {
      const { number } = customers[next++ % customers.length] ?? { number: 1 };
      const path = `/api/orders/${number * ORDER_NUMBER_STEP + 1}`;
      const headers = { 'x-user-id': userKey(number) };
      await fetch(`${gatewayUrl}${path}`, { headers }).then((answer) => answer.arrayBuffer());
      await new Promise((resolve) => setTimeout(resolve, LOOKS_MS));
    }
  };
  const lanes = Promise.all(Array.from({ length: LANES }, lane));
  const over = async (): Promise<void> => {
    home.abort();
    await lanes;
  };
  t.teardown(over);
  return { over };
}

function slowWrite(gatewayUrl: string): Promise<{ end(): Promise<number> }> {
  const body = JSON.stringify({ newsletter: true });
  return new Promise((resolve, reject) => {
    const sent = request(`${gatewayUrl}/api/preferences`, {
      method: 'PATCH',
      headers: {
        'x-user-id': userKey(1),
        'content-type': 'application/json',
        'content-length': body.length,
        expect: '100-continue',
      },
    });
    const status = new Promise<number>((answered) => {
      sent.on('response', (response) => {
        response.resume();
        answered(response.statusCode ?? 0);
      });
    });
    sent.on('error', reject);
    sent.on('continue', () => {
      const end = (): Promise<number> => {
        sent.end(body);
        return status;
      };
      resolve({ end });
    });
    sent.flushHeaders();
  });
}
