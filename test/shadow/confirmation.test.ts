/** A difference is read again before it is told. */
import t from 'tap';
import { type Answering, json, startWorld } from './shadow-world.ts';

t.jobs = 2;

/** Answers with these documents, one after the other; the last one for good. */
function inTurn(...values: readonly unknown[]): Answering {
  let at = 0;
  return (request, response) => {
    const value = values[Math.min(at, values.length - 1)];
    at += 1;
    void json(value)(request, response);
  };
}

void t.test('there again: confirmed, with the second pair', async (t) => {
  const world = await startWorld(t, {
    legacy: inTurn({ a: 1, n: 1 }, { a: 1, n: 2 }),
    new: inTurn({ a: 2, n: 3 }, { a: 2, n: 2 }),
  });
  await world.ask('/a');
  const read = await world.sink.read();
  t.equal(read.verdict, 'confirmed');
  t.strictSame(
    read.comparison.differences.map(({ path }) => path),
    ['$.a'],
    'what was in both',
  );
  t.strictSame(world.sink.bodies, [['{"a":1,"n":2}', '{"a":2,"n":2}']]);
  t.equal(world.legacy.requests.length, 2);
  t.equal(world.new.requests.length, 2);
  t.equal(world.legacy.requests[1]?.headers['x-turnout-shadow'], '1');
  t.equal(world.sink.told, 1);
});

void t.test('a read that races with a write is transient', async (t) => {
  // The write reaches legacy between the user's answer and the copy, and new by replication a moment later.
  const stock = { legacy: 5, new: 5 };
  const world = await startWorld(t, {
    legacy: (request, response) => void json({ stock: stock.legacy })(request, response),
    new: (request, response) => {
      stock.new = 4;
      void json({ stock: stock.new })(request, response);
      stock.legacy = 4;
    },
  });
  t.equal((await world.ask('/a')).body.toString(), '{"stock":5}');
  const read = await world.sink.read();
  t.equal(read.verdict, 'transient');
  t.match(read.comparison.differences, [{ path: '$.stock', left: { value: 5 }, right: { value: 4 } }]);
  t.strictSame(world.sink.bodies, [['{"stock":5}', '{"stock":4}']], 'the first pair');
});

void t.test('another difference each time: flapping', async (t) => {
  const world = await startWorld(t, {
    legacy: json({ a: 1, b: 1 }),
    new: inTurn({ a: 2, b: 1 }, { a: 1, b: 2 }),
  });
  await world.ask('/a');
  t.match(await world.sink.read(), { verdict: 'flapping', comparison: { differences: [{ path: '$.a' }] } });
});

void t.test('a path whose value the user’s side changes each time: flapping', async (t) => {
  const world = await startWorld(t, {
    legacy: inTurn({ at: 1 }, { at: 2 }),
    new: inTurn({ at: 5 }, { at: 6 }),
  });
  await world.ask('/a');
  t.match(await world.sink.read(), { verdict: 'flapping' });
});

void t.test(
  'the other side is gone when it is asked again: flapping, and the first answers stay',
  async (t) => {
    let asked = 0;
    const world = await startWorld(t, {
      new: (request, response) => {
        asked += 1;
        if (asked > 1) response.destroy();
        else void json({ a: 2 })(request, response);
      },
    });
    await world.ask('/a');
    t.match(await world.sink.read(), { verdict: 'flapping', comparison: { differences: [{ path: '$.a' }] } });
  },
);

void t.test('an error that is there again is confirmed', async (t) => {
  const world = await startWorld(t, { new: (_request, response) => void response.destroy() });
  await world.ask('/a');
  t.match(await world.sink.read(), {
    verdict: 'confirmed',
    answers: { authoritative: { status: 200 }, secondary: { failure: { kind: 'error' } } },
  });
});

void t.test('its user was moved meanwhile: unconfirmed, and nobody is asked', async (t) => {
  const world = await startWorld(t, { new: json({ a: 2 }), shadow: { confirmAfterMs: 1_000 } });
  await world.ask('/a');
  await world.new.request(1);
  await world.gateway.state.putUser('leo', {
    state: undefined,
    pin: 'new',
    membership: { cohort: 'careful', ordinal: undefined, by: 'rule' },
    newId: undefined,
  });
  const read = await world.sink.read();
  t.match(read, { verdict: 'unconfirmed', unconfirmedBecause: 'moving', authoritative: 'legacy' });
  t.equal(world.legacy.requests.length, 1);
});

void t.test('the process is late when its time comes: unconfirmed', async (t) => {
  let late = false;
  const world = await startWorld(t, {
    new: (request, response) => {
      void json({ a: 2 })(request, response);
      setImmediate(() => {
        late = true;
      });
    },
    shadow: { confirmAfterMs: 200 },
    reports: { lagging: () => late },
  });
  await world.ask('/a');
  t.match(await world.sink.read(), { verdict: 'unconfirmed', unconfirmedBecause: 'event_loop_lag' });
});

void t.test(
  'concurrency: what everybody meets is confirmed a few times, and leaves room for the rest',
  async (t) => {
    const world = await startWorld(t, {
      new: (request, response) =>
        void json(request.url === '/rare' ? { a: 1, b: 2 } : { a: 2 })(request, response),
      shadow: { confirmAfterMs: 600_000 },
    });
    for (let asked = 1; asked <= 6; asked += 1) await world.ask('/a');
    await world.sink.until(2);
    t.match(world.sink.reads, [
      { verdict: 'unconfirmed', unconfirmedBecause: 'concurrency' },
      { verdict: 'unconfirmed', unconfirmedBecause: 'concurrency' },
    ]);
    t.equal(world.activity().confirmations, 4);
    await world.ask('/rare');
    while (world.activity().confirmations < 5) await new Promise((resolve) => setImmediate(resolve));
    await world.gateway.gateway.close();
    t.equal(world.sink.reads.filter(({ unconfirmedBecause }) => unconfirmedBecause === 'stopping').length, 5);
    t.match(world.activity(), { confirmations: 0, keptBytes: 0, reads: 0, queued: 0 });
  },
);
