/** Every reason for which a read that was due is not compared: counted, and nothing is kept. */
import t, { type Test } from 'tap';
import { SHADOW_SKIPS, type ShadowSkip } from '../../src/shadow/report-sink.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import type { World } from './shadow-world.ts';
import { type Answering, json, startWorld } from './shadow-world.ts';

t.jobs = 2;

const covered = new Set<ShadowSkip>();

async function expectSkip(t: Test, world: World, reason: ShadowSkip, number = 1): Promise<void> {
  t.equal(await world.sink.skip(number), reason);
  covered.add(reason);
  const metrics = await world.gateway.telemetry.metrics();
  t.match(metrics, `turnout_shadow_skipped_total{reason="${reason}"}`);
}

/** Answers when it is let go. */
function gate(): {
  readonly answering: Answering;
  readonly open: () => void;
  readonly arrived: (count: number) => Promise<void>;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  let told = (): void => undefined;
  return {
    answering: async (_request, response) => {
      count += 1;
      told();
      await promise;
      response.setHeader('content-type', 'application/json').end('{"a":1}');
    },
    open: resolve,
    arrived: (wanted) =>
      new Promise((done) => {
        told = () => {
          if (count >= wanted) done();
        };
        told();
      }),
  };
}

void t.test('body_too_large: the answer of the user’s side', async (t) => {
  const world = await startWorld(t, { legacy: json('x'.repeat(5_000)), shadow: { bodyBytesMax: 4_000 } });
  t.equal((await world.ask('/a')).body.length, 5_002);
  await expectSkip(t, world, 'body_too_large');
  t.equal(world.new.requests.length, 0);
});

void t.test('body_too_large: the answer of the secondary, whose connection is ended', async (t) => {
  const world = await startWorld(t, {
    new: (_request, response) => {
      const piece = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    },
    shadow: { bodyBytesMax: 100_000 },
  });
  await world.ask('/a');
  await expectSkip(t, world, 'body_too_large');
  await world.new.abandoned();
});

void t.test('request_body_too_large', async (t) => {
  const world = await startWorld(t, {
    shadow: { bodyBytesMax: 1_000 },
    legacy: (request, response) => {
      request.resume();
      request.once('end', () => response.end('{}'));
    },
  });
  await world.ask('/search', { method: 'POST', body: 'x'.repeat(1_001) });
  await expectSkip(t, world, 'request_body_too_large');
});

void t.test('memory: all bodies together are too many bytes', async (t) => {
  const held = gate();
  const world = await startWorld(t, {
    legacy: json('x'.repeat(6_000)),
    new: held.answering,
    reports: { keptBytesMax: 10_000 },
  });
  await world.ask('/1');
  await held.arrived(1);
  await world.ask('/2');
  await expectSkip(t, world, 'memory');
  held.open();
  await world.sink.until(2);
  await world.ask('/3');
  await world.sink.until(3);
  t.equal(world.sink.reads.length, 2, 'there is room again');
});

void t.test('not_whole: the client left, or the backend failed', async (t) => {
  const world = await startWorld(t, {
    legacy: (request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('begun');
      if (request.url === '/cut') response.destroy();
    },
  });
  const client = await world.gateway.connect();
  await client.send('GET /left HTTP/1.1\r\nHost: a\r\nX-User: leo\r\n\r\n');
  await world.legacy.request(1);
  client.abort();
  await expectSkip(t, world, 'not_whole', 1);
  await world.ask('/cut');
  await expectSkip(t, world, 'not_whole', 2);
  t.equal(world.new.requests.length, 0);
});

void t.test('queue_full: more than run and wait', async (t) => {
  const held = gate();
  const world = await startWorld(t, { new: held.answering, shadow: { concurrencyMax: 1 } });
  for (let number = 1; number <= 4; number += 1) await world.ask(`/${number}`);
  await expectSkip(t, world, 'queue_full');
  held.open();
  await world.sink.until(4);
  t.equal(world.new.requests.length, 3);
  t.strictSame(
    world.sink.reads.map(({ verdict }) => verdict),
    ['matched', 'matched', 'matched'],
  );
});

void t.test('event_loop_lag: a process that is late copies nothing', async (t) => {
  const world = await startWorld(t, { reports: { lagging: () => true } });
  await world.ask('/a');
  await expectSkip(t, world, 'event_loop_lag');
  t.equal(world.new.requests.length, 0);
});

void t.test('event_loop_lag: a large body waits for a loop that is not late, and not for ever', async (t) => {
  let late = false;
  const world = await startWorld(t, {
    legacy: json('x'.repeat(300_000)),
    new: (_request, response) => {
      late = true;
      response.end('y');
    },
    reports: { lagging: () => late },
  });
  await world.ask('/a');
  await expectSkip(t, world, 'event_loop_lag');
  t.equal(world.new.requests.length, 1);
});

void t.test('backend_overloaded: its pool for shadow reads is full', async (t) => {
  const held = gate();
  const world = await startWorld(t, {
    new: held.answering,
    settings: { backends: { new: { connectionsMax: 1 } } },
  });
  await world.ask('/1');
  await held.arrived(1);
  await world.ask('/2');
  await expectSkip(t, world, 'backend_overloaded');
  held.open();
  await world.sink.until(2);
});

void t.test('moving: its cohort or its user is held, when it is chosen or later', async (t) => {
  const held = gate();
  const world = await startWorld(t, { legacy: held.answering });
  const { snapshot } = world.gateway.state;
  const hold = { change: 'c', epoch: 2 };
  const early = world.ask('/1');
  await held.arrived(1);
  const { mapId, cohorts } = snapshot;
  const cohortHolds = new Map([['careful', hold]]);
  world.gateway.state.replace(createSnapshot({ mapId, epoch: 2, cohorts, cohortHolds }));
  held.open();
  await early;
  await expectSkip(t, world, 'moving', 1);
  await world.ask('/2');
  await expectSkip(t, world, 'moving', 2);
  world.gateway.state.replace(
    createSnapshot({ mapId, epoch: 3, cohorts, userHolds: new Map([['leo', hold]]) }),
  );
  await world.ask('/3');
  await expectSkip(t, world, 'moving', 3);
  t.equal(world.new.requests.length, 0);
});

void t.test('not_comparable: neither side has an answer, or nothing can be said of them', async (t) => {
  const stream = json('data: 1', { 'content-type': 'text/event-stream' });
  const world = await startWorld(t, {
    legacy: stream,
    new: json('data: 2', { 'content-type': 'text/event-stream' }),
  });
  await world.ask('/a');
  await expectSkip(t, world, 'not_comparable');
});

void t.test('stopping: what waits is told, what is under way is ended', async (t) => {
  const held = gate();
  const world = await startWorld(t, { new: held.answering, shadow: { concurrencyMax: 1 } });
  await world.ask('/1');
  await held.arrived(1);
  await world.ask('/2');
  await world.gateway.gateway.close({ graceMs: 1_000 });
  t.strictSame(world.sink.skips, ['stopping', 'stopping']);
  covered.add('stopping');
  held.open();
});

t.teardown(() => {
  // Tested in confirmation.test.ts, failures.test.ts, admission.test.ts and large-answers.test.ts.
  const others: readonly string[] = ['concurrency', 'breaker_open', 'queue_deadline', 'large_answers'];
  const missing = SHADOW_SKIPS.filter((reason) => !covered.has(reason) && !others.includes(reason));
  if (missing.length > 0) throw new Error(`no test for ${missing.join(', ')}`);
});
