/** The traffic generator: what it sends, within which bounds, and how it ends. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { runTraffic, type TrafficOptions } from '../../src/demo/traffic/run-traffic.ts';
import { STEPS, userPlan, userSteps } from '../../src/demo/traffic/user-steps.ts';
import { tempFolder, testShop } from './with-shop.ts';

t.setTimeout(90_000);

const folder = await tempFolder();
t.teardown(() => folder.remove());

await t.test('a user does the same for the same seed, mostly reads', async (t) => {
  t.strictSame(firstSteps(7, 17), firstSteps(7, 17));
  t.notSame(firstSteps(7, 17), firstSteps(8, 17));
  t.notSame(firstSteps(7, 17), firstSteps(7, 18));
  const steps = Array.from({ length: 100 }, (_, user) => firstSteps(7, user + 1)).flat();
  const writes = steps.filter(({ method }) => method !== 'GET').length;
  t.ok(writes > steps.length / 20 && writes < steps.length / 5, `${writes} of ${steps.length} are writes`);
});

await t.test('one user in 20 is staff, four in 20 are beta', async (t) => {
  const plans = Array.from({ length: 300 }, (_, index) => userPlan(index + 1));
  t.equal(plans.filter((plan) => plan === 'staff').length, 15);
  t.equal(plans.filter((plan) => plan === 'beta').length, 60);
});

for (const shop of ['legacy', 'new'] as const) {
  await t.test(`every request of the generator is one that the ${shop} shop serves`, async (t) => {
    const server = await testShop(shop, { file: join(folder.path, `${shop}.db`) });
    t.teardown(() => server.close());
    const { lines, tally } = await run({ port: server.port, rate: 400, durationS: 1 });
    const { requests, ok } = tally.total();
    t.ok(requests > 0 && requests <= 400, `${requests} requests in 1 s at 400/s`);
    t.equal(ok, requests);
    t.equal(tally.answeredBy(shop).requests, requests);
    t.match(lines[0], /^300 users, 400 requests\/s for 1 s, against http:/);
    t.match(lines.join('\n'), new RegExp(`^all +${shop} +${requests} +${requests} +0 +0 +0 `, 'm'));
  });
}

await t.test('it marks itself and sends the user and the plan', async (t) => {
  const seen: IncomingMessage[] = [];
  const server = await serve((request, response) => {
    seen.push(request);
    request.resume();
    response.setHeader('x-shop', 'new').end('{}');
  });
  t.teardown(() => stop(server));
  await run({ port: portOf(server), rate: 500, durationS: 0.5 });
  for (const { headers } of seen) {
    t.equal(headers['user-agent'], 'turnout-demo-traffic');
    const user = Number(String(headers['x-user-id']).slice(2));
    t.equal(headers['x-plan'], userPlan(user), `u-${user}`);
  }
});

await t.test('no more requests than allowed wait at one time, one of a user at most', async (t) => {
  const waiting: string[] = [];
  // The generator asks once whether anybody is there.
  let first = true;
  const server = await serve((request, response) => {
    if (first) response.end('{}');
    else waiting.push(String(request.headers['x-user-id']));
    first = false;
  });
  t.teardown(() => stop(server));
  const { lines, tally } = await run({ port: portOf(server), rate: 2_000, durationS: 0.4, inFlightMax: 20 });
  t.equal(waiting.length, 20);
  t.equal(new Set(waiting).size, 20);
  t.equal(tally.total().failures, 20);
  t.match(lines.join('\n'), /errors: 20 × cut off\n\d+ requests were not sent/);
});

await t.test('it stops when it is told to', async (t) => {
  const stopper = new AbortController();
  let count = 0;
  const server = await serve((request, response) => {
    request.resume();
    count += 1;
    if (count === 5) stopper.abort();
    response.setHeader('x-shop', 'legacy').end('{}');
  });
  t.teardown(() => stop(server));
  const { lines, tally } = await run({ port: portOf(server), durationS: 3_600, signal: stopper.signal });
  const { requests, ok } = tally.total();
  t.ok(requests >= 4, 'what was under way is finished');
  t.equal(ok, requests);
  t.match(lines.at(-1), /^all +legacy /);
});

await t.test('the first request of each user is enough to have every kind of them', async (t) => {
  const stopper = new AbortController();
  const users = new Set<string>();
  const server = await serve((request, response) => {
    request.resume();
    users.add(String(request.headers['x-user-id']));
    if (users.size === 300) stopper.abort();
    response.setHeader('x-shop', 'legacy').end('{}');
  });
  t.teardown(() => stop(server));
  const { lines } = await run({ port: portOf(server), rate: 600, durationS: 3_600, signal: stopper.signal });
  for (const step of STEPS) t.match(lines.join('\n'), new RegExp(`^${step} +legacy `, 'm'), step);
});

await t.test('errors are counted by reason, and do not stop it', async (t) => {
  let count = 0;
  const server = await serve((request, response) => {
    request.resume();
    count += 1;
    if (count > 1 && count % 3 === 0) response.destroy();
    else if (count > 1 && count % 3 === 1) response.writeHead(502).end('{}');
    else response.setHeader('x-shop', 'legacy').end('{}');
  });
  t.teardown(() => stop(server));
  const { lines, tally } = await run({ port: portOf(server), rate: 300, durationS: 0.5, reportMs: 100 });
  const total = tally.total();
  t.ok(total.failures > 0 && total.serverErrors > 0 && total.ok > 0, JSON.stringify(total));
  t.equal(tally.answeredBy('gateway').serverErrors, total.serverErrors);
  t.match(lines.join('\n'), /errors: \d+ × connection reset/);
  const summaries = lines.filter((line) => / requests\/s {2}\| /.test(line));
  t.ok(summaries.length >= 2, 'summary lines while it runs');
});

await t.test('nothing at the address is said in words', async (t) => {
  const server = await serve(() => undefined);
  const port = portOf(server);
  await stop(server);
  await t.rejects(run({ port }), {
    message: `no gateway answers at http://127.0.0.1:${port} (connection refused); start one with: npm start`,
  });
});

await t.test('a rate, a duration or an address out of bounds is refused', async (t) => {
  for (const rate of [0, 2_001, Number.NaN]) await t.rejects(run({ port: 1, rate }), RangeError);
  for (const durationS of [0, 86_401]) await t.rejects(run({ port: 1, durationS }), RangeError);
  await t.rejects(run({ url: new URL('https://127.0.0.1') }), RangeError);
});

async function run(options: Partial<TrafficOptions> & { port?: number }) {
  const lines: string[] = [];
  const tally = await runTraffic({
    url: new URL(`http://127.0.0.1:${options.port ?? 1}`),
    rate: 100,
    durationS: 1,
    seed: 1,
    signal: new AbortController().signal,
    write: (line) => lines.push(line),
    ...options,
  });
  return { lines, tally };
}

function firstSteps(seed: number, user: number) {
  const steps = userSteps(seed, user);
  return Array.from({ length: 60 }, () => steps.next().value);
}

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
