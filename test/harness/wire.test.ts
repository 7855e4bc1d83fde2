import t from 'tap';
import { AS_USER_OF, onBothBackends } from './gateway.ts';
import { answering, okAnswer } from './raw-backend.ts';
import { connectRaw } from './raw-client.ts';
import { chunked, startWire } from './wire.ts';

t.jobs = 4;

/** A test that only collects what has to end, so that its ends can be watched. */
function fakeTest(): { teardown: (end: () => void | Promise<void>) => void; end: () => Promise<void> } {
  const ends: (() => void | Promise<void>)[] = [];
  return {
    teardown: (end) => void ends.unshift(end),
    end: async () => {
      for (const end of ends) await end();
    },
  };
}

onBothBackends(t, 'a request of the side’s user reaches that side', async (t, side) => {
  const wire = await startWire(t, side, answering(okAnswer(side)));
  t.equal((await wire.request()).body.toString(), side);
  t.equal(await wire.gateway.count('2xx', side), 1);
  t.equal(wire.gateway.state.snapshot.cohorts.length, 2);
});

onBothBackends(t, 'a request that reaches the other side fails the test', async (t, side) => {
  const inner = fakeTest();
  const wire = await startWire(inner, side, undefined);
  const client = await connectRaw(t, { port: wire.gateway.port });
  const other = side === 'legacy' ? 'new' : 'legacy';
  await client.request(`GET / HTTP/1.1\r\nHost: a\r\n${AS_USER_OF[other]}\r\n`);
  client.finish();
  await t.rejects(inner.end(), { message: `the backend that is not ${side} was touched` });
});

onBothBackends(
  t,
  'anything but HTTP at the backend fails the test, unless it was expected',
  async (t, side) => {
    for (const violationsExpected of [false, true]) {
      const inner = fakeTest();
      const wire = await startWire(inner, side, undefined, { violationsExpected });
      const direct = await connectRaw(t, { port: wire.backend.port });
      await direct.send('nonsense\r\n\r\n');
      await direct.closed;
      if (violationsExpected) await t.resolves(inner.end());
      else await t.rejects(inner.end(), { message: /^not HTTP at the backend/ });
    }
  },
);

void t.test('chunks are written as they are read', async (t) => {
  t.equal(
    chunked(['abc', 'x'.repeat(16)], 'A: b\r\n'),
    `3\r\nabc\r\n10\r\n${'x'.repeat(16)}\r\n0\r\nA: b\r\n\r\n`,
  );
});
