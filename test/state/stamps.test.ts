import fc from 'fast-check';
import t from 'tap';
import { Stamps } from '../../src/state/stamps.ts';

void t.test('moments are those of the clock while it goes on', async (t) => {
  const stamps = new Stamps();
  t.same(
    [5, 5, 7, 90_000].map((ms) => stamps.next(ms)),
    [5, 5, 7, 90_000],
  );
});

void t.test('a clock that is a little behind is waited for', async (t) => {
  const stamps = new Stamps();
  t.same(
    [10_000, 9_500, 10_200].map((ms) => stamps.next(ms)),
    [10_000, 10_000, 10_200],
  );
});

void t.test('after one that was set back moments go on from where they were', async (t) => {
  const stamps = new Stamps();
  t.same(
    [100_000, 20_000, 20_250, 21_000].map((ms) => stamps.next(ms)),
    [100_000, 100_000, 100_250, 101_000],
  );
});

void t.test('moments never go back, and stand still for a second at most', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 50 }), (jumps) => {
      const stamps = new Stamps();
      let [clock, last] = [1_000_000, 0];
      for (const jump of jumps) {
        clock += jump;
        const at = stamps.next(clock);
        if (at < last) return false;
        last = at;
      }
      const still = stamps.next(clock);
      return stamps.next(clock + 1_001) > still;
    }),
  );
});
