/** Redis is killed, and then stopped with its connections open; the second time Postgres goes away too. */
import t, { type Test } from 'tap';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { untilAnswered } from './outage-world.ts';
import { isFenced, ownerAt, type Program, programs, STAGES } from './programs.ts';

/** Long enough to look at what is served before the fence. */
const FENCE_MS = 10_000;

const [redis, postgres] = await Promise.all([
  startRedis(t, { disposable: true }),
  startPostgres(t, { disposable: true }),
]);
const start = await programs(t, { redis, postgres, selfFenceAfterMs: FENCE_MS });
const serving = await start('serve');
for (const user of ['pinned', 'stored', 'stored too'])
  await untilAnswered(`a pin of ${user}`, async () => {
    const path = `/users/${encodeURIComponent(user)}/pin`;
    return (await serving.change('PUT', path, { backend: 'new' })).status === 200 ? true : undefined;
  });
await serving.send('GET', 'placed', 'live');
// It begins after all that, so it has heard of none of these users.
const refusing = await start('refuse');
const all = [serving, refusing];

async function expectServed(t: Test, what: string): Promise<void> {
  for (const program of all) {
    for (const stage of STAGES)
      for (const method of ['GET', 'POST'] as const) {
        const answer = await program.send(method, `known, ${stage}`, stage);
        t.match(answer, { status: 200, text: ownerAt(stage) }, `${method} at ${stage} ${what}`);
      }
    t.match(await program.send('POST', 'pinned'), { status: 200, text: 'new' }, `a pinned user ${what}`);
  }
}

async function untilDetached(t: Test): Promise<void> {
  for (const program of all) {
    await program.until('/readyz', /"detached":true/);
    t.match(await program.get('/readyz'), { status: 200, text: /"status":"ready"/ });
    t.match(await program.get('/metrics'), { text: /^turnout_detached(\{[^}]*\})? 1$/m });
  }
}

async function untilFenced(): Promise<void> {
  for (const program of all) await program.until('/api/v1/status', /"attachment":"fenced"/);
}

async function expectFenced(t: Test): Promise<void> {
  const refused = { status: 503, text: /"code":"fenced"/, retryAfter: /^\d+$/ };
  for (const program of all) {
    for (const stage of STAGES) {
      const served = { status: 200, text: ownerAt(stage) };
      const user = `known, ${stage}`;
      const wanted = isFenced(stage) ? refused : served;
      t.match(await program.send('POST', user, stage), wanted, `a write at ${stage}`);
      const read = await program.send('GET', user, stage);
      t.match(read, program === refusing ? wanted : served, `a read at ${stage}`);
    }
    t.match(await program.send('POST', 'pinned'), refused, 'a write of a pinned user');
  }
}

/** Whatever would move somebody is refused in words, and leaves nothing behind. */
async function expectNoFlip(t: Test): Promise<void> {
  const problem = { status: 503, text: /"code":"store_unavailable"/, retryAfter: /^\d+$/ };
  const flips = [
    serving.change('POST', '/cohorts/shadow/stage', { stage: 'live' }),
    serving.change('POST', '/cohorts/live/rollback', { dirtyUsers: 'keep' }),
    serving.change('PUT', '/users/leo/pin', { backend: 'new' }),
  ];
  for (const answer of await Promise.all(flips)) t.match(answer, problem, 'no flip starts');
}

async function expectNothingLeft(t: Test): Promise<void> {
  const { text } = await serving.get('/api/v1/changes?open=true');
  t.match(text, /"items":\[\]/, 'no change is open');
}

async function expectRecovered(t: Test): Promise<void> {
  for (const program of all) {
    await program.until('/readyz', /"detached":false/);
    // The lease is renewed a moment later.
    await untilAnswered('a write that is not refused', async () =>
      (await program.send('POST', 'known, live', 'live')).status === 200 ? true : undefined,
    );
  }
  await expectServed(t, 'afterwards');
  await expectNothingLeft(t);
  t.equal(await redis.client.hlen(`{${redis.prefix}}:holds`), 0, 'nobody is held');
  await untilAnswered('a flip that goes through', async () => {
    const pin = { backend: 'new' };
    return (await serving.change('PUT', '/users/later/pin', pin)).status === 200 ? true : undefined;
  });
}

async function readFromRecord(t: Test, program: Program): Promise<void> {
  t.match(await program.send('GET', 'stored'), { status: 200, text: 'new' }, 'a record that is not cached');
  t.match(await program.send('POST', 'stored'), { status: 200, text: 'new' }, 'its mark is in the record');
  t.match(await program.send('POST', 'placed'), { status: 200, text: 'new' }, 'a membership by rule');
  const unknown = await program.send('POST', 'nobody knows');
  t.match(unknown, { status: 503, text: /"code":"state_unknown"/ }, 'nobody can be placed');
}

await t.test('Redis killed: last known state, then fenced; Postgres knows who is not cached', async (t) => {
  await expectServed(t, 'before');
  await redis.kill();
  await untilDetached(t);
  await expectServed(t, 'while detached');
  await readFromRecord(t, refusing);
  await untilFenced();
  await expectFenced(t);
  await expectNoFlip(t);
  await expectNothingLeft(t);
  await redis.start();
  await expectRecovered(t);
  t.match(
    await serving.get('/api/v1/users/stored'),
    { text: /"dirty":true/ },
    'its mark outlived the outage',
  );
});

await t.test('Redis stopped and Postgres killed: last known state, 503 for everybody else', async (t) => {
  redis.freeze();
  await untilDetached(t);
  await postgres.kill();
  await expectServed(t, 'while both are away');
  for (const user of ['stored too', 'somebody else']) {
    const answer = await refusing.send('GET', user);
    t.match(answer, { status: 503, text: /"code":"state_unknown"/ }, `never silently legacy: ${user}`);
  }
  await untilFenced();
  await expectFenced(t);
  await expectNoFlip(t);
  await postgres.start();
  redis.thaw();
  await expectRecovered(t);
  t.match(await refusing.send('GET', 'stored too'), { status: 200, text: 'new' });
});
