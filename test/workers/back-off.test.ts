import fc from 'fast-check';
import t from 'tap';
import { backOffMs, LONGEST_MS } from '../../src/workers/back-off.ts';

void t.test('the first death is made good at once, each one after it later', async (t) => {
  const waits = [1, 2, 3, 4, 5, 20].map((failures) => backOffMs(failures, () => 1));
  t.same(waits, [0, 100, 200, 400, 800, LONGEST_MS]);
});

void t.test('the wait is blurred downwards by at most a half', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, draw) => {
        const wait = backOffMs(failures, () => draw);
        const full = backOffMs(failures, () => 1);
        return wait >= full / 2 && wait <= full && full <= LONGEST_MS;
      },
    ),
  );
  t.pass('always within');
});
