/** Postgres is killed, then stopped with its connections open: requests go on, changes do not begin. Then Redis is wiped. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import t, { type Test } from 'tap';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { untilAnswered } from './outage-world.ts';
import { ownerAt, programs, STAGES } from './programs.ts';

const [redis, postgres] = await Promise.all([
  startRedis(t, { disposable: true }),
  startPostgres(t, { disposable: true }),
]);
const start = await programs(t, { redis, postgres, selfFenceAfterMs: 10_000 });
const [one, two] = [await start('serve'), await start('serve')];
const all = [one, two];

/** Stops every process of the server. @returns what continues them */
async function stopPostgres({ url }: PostgresFixture): Promise<() => void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const directory = await client.query<{ data_directory: string }>('SHOW data_directory');
  const others = await client.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
  );
  await client.end();
  const file = join(directory.rows[0]?.data_directory ?? '', 'postmaster.pid');
  const postmaster = Number((await readFile(file, 'utf8')).split('\n')[0]);
  const pids = [postmaster, ...others.rows.map(({ pid }) => pid)];
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch {
        // A process of the server that has ended by itself.
      }
    }
  };
  signal('SIGSTOP');
  return () => signal('SIGCONT');
}

/** What works without the record; each name is used once. */
async function expectServed(t: Test, name: string): Promise<void> {
  for (const [index, program] of all.entries()) {
    for (const stage of STAGES) {
      const owner = { status: 200, text: ownerAt(stage) };
      t.match(await program.send('POST', `known, ${stage}`, stage), owner, `a cached user at ${stage}`);
      const user = `${name}, ${stage}`;
      // The first gateway places the user and marks its first write, the other one learns of it from the map.
      t.match(await program.send('POST', user, index === 0 ? stage : 'none'), owner, `a new one at ${stage}`);
      t.match(await program.send('GET', user), owner, 'whose placement stays');
    }
    t.match(await program.get('/readyz'), { status: 200, text: /"status":"ready","detached":false/ });
  }
}

async function expectNoFlip(t: Test): Promise<void> {
  const problem = { status: 503, text: /"code":"store_unavailable"/, retryAfter: /^\d+$/ };
  const flips = [
    one.change('POST', '/cohorts/shadow/stage', { stage: 'live' }),
    one.change('POST', '/cohorts/live/rollback', { dirtyUsers: 'keep' }),
    one.change('PUT', '/users/leo/pin', { backend: 'new' }),
  ];
  for (const answer of await Promise.all(flips)) t.match(answer, problem, 'no flip starts');
  t.equal(await redis.client.hlen(`{${redis.prefix}}:holds`), 0, 'nobody is held');
}

/** Marks and placements of the outage come to the record, no change is left, and flips go through again. */
async function expectRecovered(t: Test, name: string): Promise<void> {
  for (const stage of STAGES) {
    const user = encodeURIComponent(`${name}, ${stage}`);
    await one.until(`/api/v1/users/${user}`, new RegExp(`"membership":\\{"cohort":"${stage}"`));
  }
  await one.until(`/api/v1/users/${encodeURIComponent(`${name}, live`)}`, /"dirty":true/);
  const { text } = await one.get('/api/v1/changes?open=true');
  t.match(text, /"items":\[\]/, 'no change is open');
  const flip = await untilAnswered('a flip', async () => {
    const answer = await one.change('PUT', `/users/${name}/pin`, { backend: 'new' });
    return answer.status === 200 ? answer : undefined;
  });
  t.match(flip, { status: 200 });
  for (const program of all) t.match(await program.send('POST', name), { status: 200, text: 'new' });
}

for (const stage of STAGES) for (const program of all) await program.send('POST', `known, ${stage}`, stage);

await t.test('Postgres killed: requests go on, first writes and placements too', async (t) => {
  await postgres.kill();
  await expectServed(t, 'killed');
  await expectNoFlip(t);
  await postgres.start();
  await expectRecovered(t, 'killed');
});

await t.test('Postgres stopped: the same', async (t) => {
  const proceed = await stopPostgres(postgres);
  t.teardown(proceed);
  // Silence is known as such when a statement has run out; who is placed before that is refused.
  for (const [index, program] of all.entries()) {
    const { text } = await untilAnswered('a placement without the record', async () => {
      const answer = await program.send('POST', `first at ${index}`, 'live');
      return answer.status === 503 ? undefined : answer;
    });
    t.equal(text, 'new');
  }
  await expectServed(t, 'stopped');
  await expectNoFlip(t);
  proceed();
  await expectRecovered(t, 'stopped');
});

await t.test('Redis wiped while Postgres is away: what only Redis had comes to the record', async (t) => {
  await postgres.kill();
  // Placed and marked: the map and the gateway know of it, and nobody else.
  t.match(await one.send('POST', 'wiped', 'live'), { status: 200, text: 'new' });
  await redis.kill();
  await redis.startEmpty();
  await one.until('/readyz', /"detached":true/);
  t.match(await one.send('POST', 'wiped'), { status: 200, text: 'new' }, 'last known state');
  t.match(await one.send('POST', 'known, off', 'off'), { status: 200, text: 'legacy' });
  t.equal(await redis.client.exists(`{${redis.prefix}}:meta`), 0, 'no map appears');
  await expectNoFlip(t);
  await postgres.start();
  for (const program of all) await program.until('/readyz', /"detached":false/);
  await one.until('/api/v1/users/wiped', /"membership":\{"cohort":"live"/);
  await one.until('/api/v1/users/wiped', /"dirty":true/);
  for (const program of all) {
    // Back at the map, a gateway serves writes again when its lease has been renewed.
    const answer = await untilAnswered('a write', async () => {
      const sent = await program.send('POST', 'wiped');
      return sent.text.includes('"code":"fenced"') ? undefined : sent;
    });
    t.match(answer, { status: 200, text: 'new' }, 'whatever its attributes say');
  }
});
