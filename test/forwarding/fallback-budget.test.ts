/** How many reads are answered by `legacy` at a time, and those that leave `new` when their user does. */
import t from 'tap';
import { FallbackBudget } from '../../src/forwarding/fallback-budget.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { refusingPort } from '../faults/refuse.ts';
import { stall } from '../faults/stall.ts';
import { answering, type Exchange, okAnswer } from '../harness/raw-backend.ts';
import { within } from '../harness/within.ts';
import { startFallbackWorld } from './fallback-world.ts';

t.jobs = 4;

const FOREVER_MS = 60_000;

function budgetOf(
  share: number,
  inFlightMin: number,
  reads: () => number,
  waitMs = FOREVER_MS,
): FallbackBudget {
  return new FallbackBudget({ enabled: true, share, inFlightMin, waitMs }, reads);
}

void t.test('turns are granted in order, as many as the share allows and at least the least', async (t) => {
  let reads = 5;
  const budget = budgetOf(0.2, 2, () => reads);
  const turns = Array.from({ length: 5 }, () => budget.ask());
  t.strictSame([budget.on, budget.waiting], [2, 3]);
  turns[0]?.end();
  turns[0]?.end();
  t.strictSame([budget.on, budget.waiting], [2, 2], 'a turn is given back once');
  t.ok(await turns[2]?.granted);
  turns[3]?.end();
  t.notOk(await turns[3]?.granted, 'a place in the queue is given back too');
  reads = 20;
  const more = budget.ask();
  t.strictSame([budget.on, budget.waiting], [4, 0], 'more reads in flight, more turns');
  for (const turn of [...turns, more]) turn.end();
  t.strictSame([budget.on, budget.waiting], [0, 0]);
});

void t.test('who waits too long, and who finds too many waiting, has no turn', async (t) => {
  const budget = budgetOf(0, 1, () => 10, 20);
  const first = budget.ask();
  t.notOk(await budget.ask().granted);
  budget.settings = { ...budget.settings, waitMs: FOREVER_MS };
  const waiting = Array.from({ length: 1_000 }, () => budget.ask());
  t.notOk(await budget.ask().granted);
  for (const turn of [...waiting, first]) turn.end();
  t.strictSame([budget.on, budget.waiting], [0, 0]);
});

void t.test('no more than the budget are at legacy, and the others get the failure of new', async (t) => {
  const answered = Promise.withResolvers<void>();
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    legacy: async (exchange) => {
      await answered.promise;
      await exchange.send(okAnswer('legacy'));
    },
    fallback: { inFlightMin: 2, share: 0, waitMs: 50 },
  });
  const asked = Array.from({ length: 6 }, () => world.ask());
  await world.legacy.request(2);
  await world.gateway.ended('backend_refused', 'new', 4);
  t.equal(world.legacy.requests.length, 2);
  answered.resolve();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  t.strictSame(
    statuses.toSorted((a, b) => a - b),
    [200, 200, 502, 502, 502, 502],
  );
  t.equal(await world.counted('over-budget'), 4);
  t.equal(await world.counted('served'), 2);
});

void t.test('whoever is known to have written waits for no turn', async (t) => {
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    legacy: stall(),
    fallback: { inFlightMin: 1, share: 0, waitMs: FOREVER_MS },
  });
  const first = await world.send({ user: 'nick' });
  await world.legacy.request();
  await world.marks.mark('nina');
  t.equal((await world.ask()).status, 502);
  t.equal(await world.counted('dirty'), 1);
  first.abort();
});

void t.test('whoever waits in time has a turn', async (t) => {
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    fallback: { inFlightMin: 1, share: 0, waitMs: FOREVER_MS },
  });
  let atOnce = 0;
  let most = 0;
  world.legacy.script = async (exchange) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await exchange.body();
    atOnce -= 1;
    await exchange.send(okAnswer('legacy'));
  };
  const answers = await Promise.all(Array.from({ length: 20 }, () => world.ask()));
  t.ok(answers.every(({ body }) => body.toString() === 'legacy'));
  t.equal(most, 1);
});

void t.test('a stream that goes on gives its turn to others', async (t) => {
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    legacy: stall('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n'),
    fallback: { inFlightMin: 1, share: 0, waitMs: 100 },
  });
  const client = await world.send();
  await client.finalHead();
  world.legacy.script = answering(okAnswer('legacy'));
  let answer = await world.ask();
  while (answer.status === 502) answer = await world.ask();
  t.equal(answer.body.toString(), 'legacy');
  client.abort();
});

void t.test(
  '400 reads wait for a new that hangs: the cohort goes back, step by step, and all are answered',
  async (t) => {
    const reads = 400;
    const world = await startFallbackWorld(t, {
      new: stall(),
      settings: { backends: { new: { connectionsMax: 512 } } },
    });
    const asked = Array.from({ length: reads }, () => world.ask());
    await within(world.new.request(reads), 'the reads at new');
    world.stage('shadow');
    await within(world.legacy.request(), 'the first at legacy');
    t.ok(world.legacy.requests.length < reads, 'there is more to come');
    world.stage('off');
    const answers = await within(Promise.all(asked), 'the answers');
    t.ok(answers.every(({ status, body }) => status === 200 && body.toString() === 'legacy'));
    await world.gateway.ended('2xx', 'legacy', reads);
    t.equal(await world.counted('served'), reads);
    t.equal(world.marks.asked, 0, 'whoever is legacy’s is not asked about');
    await world.new.abandoned();
  },
);

void t.test('a cohort that goes back waits for no turn longer than any read waits', async (t) => {
  const world = await startFallbackWorld(t, {
    new: stall(),
    fallback: { inFlightMin: 0, share: 0, waitMs: 20 },
  });
  const asked = [world.ask(), world.ask()];
  await world.new.request(2);
  world.stage('shadow');
  for (const answer of await Promise.all(asked)) t.equal(answer.body.toString(), 'legacy');
});

void t.test('whoever is kept on new when the cohort goes back waits on', async (t) => {
  const waiting: Exchange[] = [];
  const world = await startFallbackWorld(t, {
    new: async (exchange) => {
      waiting.push(exchange);
      await exchange.gone;
    },
  });
  const kept = world.ask({ user: 'nick' });
  const gone = world.ask();
  await world.new.request(2);
  await world.record('nick', { ...ABSENT_RECORD, pin: 'new' });
  world.stage('shadow');
  t.equal((await gone).body.toString(), 'legacy');
  const still = waiting.find((each) => each.values('x-user')[0] === 'nick');
  await still?.send(okAnswer('new'));
  t.equal((await kept).body.toString(), 'new');
});

void t.test('a user who is pinned to legacy while a read waits is answered there', async (t) => {
  const world = await startFallbackWorld(t, { new: stall() });
  const asked = world.ask();
  await world.new.request();
  await world.record('nick', { ...ABSENT_RECORD, pin: 'legacy' });
  await world.record('nina', { ...ABSENT_RECORD, pin: 'legacy' });
  t.equal((await asked).body.toString(), 'legacy');
});

void t.test('the cohort goes back, and legacy fails: its failure is given', async (t) => {
  const world = await startFallbackWorld(t, { new: stall(), legacyPort: await refusingPort(t) });
  const asked = world.ask();
  await world.new.request();
  world.stage('shadow');
  t.equal((await asked).status, 502);
  await world.gateway.ended('backend_refused', 'legacy');
  t.equal(await world.counted('failed'), 1);
});

void t.test('the cohort goes back, and legacy answers 5xx: that is the answer', async (t) => {
  const world = await startFallbackWorld(t, {
    new: stall(),
    legacy: answering('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'),
  });
  const asked = world.ask();
  await world.new.request();
  world.stage('shadow');
  const answer = await asked;
  t.strictSame([answer.status, answer.body.toString()], [503, 'busy']);
  t.equal(await world.counted('failed'), 1);
});

void t.test('a client that leaves while it waits for its turn is forgotten', async (t) => {
  const world = await startFallbackWorld(t, {
    newPort: await refusingPort(t),
    legacy: stall(),
    fallback: { inFlightMin: 1, share: 0, waitMs: FOREVER_MS },
  });
  const first = await world.send();
  await world.legacy.request();
  const second = await world.send();
  await world.until(() => world.attempts('new').failed === 2);
  second.abort();
  await world.gateway.ended('client_closed', 'new');
  first.abort();
  await world.gateway.ended('client_closed', 'new', 2);
  world.legacy.script = answering(okAnswer('legacy'));
  t.equal((await world.ask()).body.toString(), 'legacy');
});

void t.test('each sending is counted at its own backend', async (t) => {
  const world = await startFallbackWorld(t, {
    new: answering('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'),
  });
  await world.ask();
  await world.gateway.ended('2xx', 'legacy');
  t.match(world.attempts('new'), { requests: 1, failed: 1 });
  t.match(world.attempts('legacy'), { requests: 1, failed: 0 });
  world.legacy.script = answering('HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n');
  await world.ask();
  await world.gateway.ended('5xx', 'new');
  t.match(world.attempts('new'), { requests: 2, failed: 2 });
  t.match(world.attempts('legacy'), { requests: 2, failed: 1 });
});

void t.test('a read that left a hanging new has not failed there', async (t) => {
  const world = await startFallbackWorld(t, { new: stall() });
  const asked = world.ask();
  await world.new.request();
  world.stage('shadow');
  t.equal((await asked).body.toString(), 'legacy');
  t.match(world.attempts('new'), { requests: 1, failed: 0 });
  t.match(world.attempts('legacy'), { requests: 1, failed: 0 });
});
