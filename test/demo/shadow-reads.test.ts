/** What shadow reads find in the demo: what is wrong with the rewrite, and nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { SEEDED_FAULTS } from '../../src/demo/new/faults.ts';
import { sampleData } from '../../src/demo/shop/sample-data.ts';
import { seededRandom } from '../../src/demo/shop/seeded-random.ts';
import { type Settings, startGateway } from '../harness/gateway.ts';
import { MemorySink } from '../shadow/memory-sink.ts';
import { at, tempFolder, testShop } from './with-shop.ts';

t.setTimeout(120_000);

/** The part of the demo's configuration that says who is compared, and how. */
async function demoSettings(): Promise<Settings> {
  const written: unknown = parse(await readFile('config/demo.yaml', 'utf8'));
  return {
    cohorts: at(written, 'cohorts'),
    routes: at(written, 'routes'),
    identity: at(written, 'identity'),
  };
}

/** `u-6` has a second address line and a name that is not plain ASCII, `u-42` more than 20 orders. */
const USERS = [1, 2, 3, 6, 17, 42];
const LOST_LINE = 'u-6';
const MANY_ORDERS = 'u-42';

const { products } = sampleData();
const pathsOf = (user: number): readonly string[] => [
  '/api/profile',
  '/api/preferences',
  '/api/orders',
  '/api/orders/history',
  `/api/orders/${user * 100_000 + 1}`,
  '/api/products',
  `/api/products?category=${products[0]?.category}`,
  `/api/products/${products[user]?.sku}`,
  '/api/search?q=lamp',
];

for (const plan of ['everyone', 'staff'] as const) {
  void t.test(`the seeded faults are found for ${plan}, each at its path, and nothing else`, async (t) => {
    const folder = await tempFolder();
    t.teardown(() => folder.remove());
    const legacy = await testShop('legacy', { file: join(folder.path, 'l.db'), random: seededRandom(1) });
    t.teardown(() => legacy.close());
    const renewed = await testShop('new', {
      file: join(folder.path, 'n.db'),
      faults: SEEDED_FAULTS,
      random: seededRandom(2),
    });
    t.teardown(() => renewed.close());
    const sink = new MemorySink();
    const gateway = await startGateway(t, {
      backends: { legacy: legacy.port, new: renewed.port },
      settings: { ...(await demoSettings()), shadow: { noiseSample: 0, confirmAfterMs: 10 } },
      reports: { sink, lagging: () => false },
    });
    let asked = 0;
    const ask = async (user: number, path: string, body?: string): Promise<void> => {
      const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
        headers: {
          'x-user-id': `u-${user}`,
          ...(plan === 'staff' ? { 'x-plan': 'staff' } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { method: 'POST', body }),
      });
      t.equal(response.status, 200, path);
      t.equal(response.headers.get('x-shop'), plan === 'staff' ? 'new' : 'legacy');
      await response.arrayBuffer();
      asked += 1;
      await sink.until(asked);
    };
    for (const user of USERS) {
      for (const path of pathsOf(user)) await ask(user, path);
      await ask(user, '/api/search', '{"q":"mug","maxPrice":40}');
    }
    t.strictSame(sink.skips, []);
    const found = new Map<string, Set<string>>();
    for (const read of sink.reads) {
      t.ok(['matched', 'confirmed'].includes(read.verdict), `${read.verdict} ${read.request.target}`);
      for (const { kind, pattern } of read.comparison.differences) {
        const users = found.get(`${read.route} ${kind} ${pattern}`) ?? new Set<string>();
        found.set(`${read.route} ${kind} ${pattern}`, users.add(read.user ?? ''));
      }
    }
    const lost = plan === 'staff' ? 'extra' : 'missing';
    t.strictSame([...found.keys()].toSorted(), [
      '/api/orders value $.orders[].total',
      '/api/orders/:number value $.total',
      '/api/orders/history value $.orders[].total',
      '/api/orders/history value $.spent',
      `/api/profile ${lost} $.addr2`,
    ]);
    t.strictSame([...(found.get(`/api/profile ${lost} $.addr2`) ?? [])], [LOST_LINE]);

    const slow = sink.reads.find(
      ({ route, user }) => route === '/api/orders/history' && user === MANY_ORDERS,
    );
    const [ofNew, ofLegacy] = [slow?.secondaryMs ?? 0, slow?.authoritativeMs ?? 0];
    const lateMs = plan === 'staff' ? ofLegacy - ofNew : ofNew - ofLegacy;
    t.ok(lateMs > 200, `the history is ${lateMs} ms slower on new`);

    const health = { legacy: await legacy.call('GET', '/health'), new: await renewed.call('GET', '/health') };
    const [serving, compared] =
      plan === 'staff' ? (['new', 'legacy'] as const) : (['legacy', 'new'] as const);
    const confirmed = sink.reads.filter(({ verdict }) => verdict === 'confirmed').length;
    t.match(health[serving].body, { requests: asked + 1, shadowReads: confirmed });
    t.match(health[compared].body, { requests: 1, shadowReads: asked + confirmed });
  });
}
