/** What shadow reads find in the demo while users read and write: what is wrong with the rewrite, and nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { SEEDED_FAULTS } from '../../src/demo/new/faults.ts';
import { ORDER_NUMBER_STEP, sampleData } from '../../src/demo/shop/sample-data.ts';
import { seededRandom } from '../../src/demo/shop/seeded-random.ts';
import { type Step, userPlan, userSteps } from '../../src/demo/traffic/user-steps.ts';
import { groupsOf } from '../../src/reports/gathered-groups.ts';
import type { ComparedRead } from '../../src/shadow/report-sink.ts';
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

const { products, users } = sampleData();

/**
 * Of each kind: `u-6` has a second address line and a name that is not plain ASCII, as others have that the test does not
 * name; `u-7` and `u-42` have more than 20 orders.
 */
const USERS = [1, 2, 3, 4, 6, 7, 11, 16, 17, 21, 22, 26, 30, 31, 36, 41, 42, 46, 51, 62];
const MANY_ORDERS = 'u-42';
const STEPS_OF_A_USER = 24;

/** Reads and writes as the traffic generator plays them, and what it leaves out. */
function* stepsOf(user: number): Generator<Step> {
  const steps = userSteps(1, user);
  for (let step = 0; step < STEPS_OF_A_USER; step += 1) yield steps.next().value;
  const order = `/api/orders/${user * ORDER_NUMBER_STEP + 1}`;
  yield { name: 'history', method: 'GET', path: '/api/orders/history' };
  yield { name: 'order', method: 'GET', path: order };
  yield { name: 'product', method: 'GET', path: '/api/products' };
  yield { name: 'product', method: 'GET', path: `/api/products?category=${products[0]?.category}` };
  yield { name: 'search', method: 'POST', path: '/api/search', json: { q: 'mug', maxPrice: 40 } };
}

/** As `turnout mismatches` would count them. */
function groupsFound(reads: readonly ComparedRead[]) {
  const groups = new Map<string, Set<string>>();
  for (const read of reads) {
    for (const { kind, pattern } of groupsOf(read.route, read.comparison, read.authoritative).values()) {
      const users = groups.get(`${read.route} ${kind} ${pattern}`) ?? new Set<string>();
      groups.set(`${read.route} ${kind} ${pattern}`, users.add(read.user ?? ''));
    }
  }
  return groups;
}

void t.test(
  'each seeded fault is one group for users of both shops, and nothing else is found',
  async (t) => {
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
    legacy.copyTo('127.0.0.1', renewed.port);
    renewed.copyTo('127.0.0.1', legacy.port);
    const sink = new MemorySink();
    const gateway = await startGateway(t, {
      backends: { legacy: legacy.port, new: renewed.port },
      settings: { ...(await demoSettings()), shadow: { noiseSample: 0, confirmAfterMs: 10 } },
      reports: { sink, lagging: () => false },
    });
    const asked = { reads: 0, legacy: 0, new: 0 };
    let writes = 0;
    for (const user of USERS) {
      const plan = userPlan(user);
      for (const { method, path, json } of stepsOf(user)) {
        const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
          method,
          headers: {
            'x-user-id': `u-${user}`,
            ...(plan === undefined ? {} : { 'x-plan': plan }),
            ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        });
        t.ok(response.ok, `${response.status} ${path}`);
        const shop = response.headers.get('x-shop') === 'new' ? 'new' : 'legacy';
        await response.arrayBuffer();
        if (method !== 'GET' && path !== '/api/search') {
          writes += 1;
          continue;
        }
        asked.reads += 1;
        asked[shop] += 1;
        // One after the other: what a write and a read that race make is another test's business.
        await sink.until(asked.reads);
      }
    }
    t.ok(writes > USERS.length, `${writes} writes`);
    t.ok(asked.legacy > 100 && asked.new > 100, `${asked.legacy} reads of legacy, ${asked.new} of new`);
    t.strictSame(sink.skips, []);
    for (const { verdict, request } of sink.reads) {
      t.ok(['matched', 'confirmed'].includes(verdict), `${verdict} ${request.target}`);
    }

    const found = groupsFound(sink.reads);
    t.strictSame([...found.keys()].toSorted(), [
      '/api/orders/:number value $.total',
      '/api/profile missing $.addr2',
    ]);
    const served = new Set(
      sink.reads.flatMap((read) => (read.verdict === 'matched' ? [] : read.authoritative)),
    );
    t.strictSame([...served].toSorted(), ['legacy', 'new'], 'users of both shops met them');
    const losing = users.filter(
      ({ number, name, address }) =>
        USERS.includes(number) && address.line2 !== '' && !/^[ -~]*$/u.test(name),
    );
    t.strictSame(
      [...(found.get('/api/profile missing $.addr2') ?? [])].toSorted(),
      losing.map(({ number }) => `u-${number}`).toSorted(),
    );

    const slow = sink.reads.findLast(
      ({ route, user }) => route === '/api/orders/history' && user === MANY_ORDERS,
    );
    t.equal(slow?.authoritative, 'new');
    // The shop waits for 400 ms at the least; timers may be early by one.
    t.ok((slow?.authoritativeMs ?? 0) >= 399, 'the history is slow on new');

    const health = { legacy: await legacy.call('GET', '/health'), new: await renewed.call('GET', '/health') };
    const copied = Number(at(health.legacy.body, 'copies')) + Number(at(health.new.body, 'copies'));
    t.equal(copied, writes, 'each write is copied to the other shop, and not back');
  },
);
