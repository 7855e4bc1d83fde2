import fc from 'fast-check';
import t from 'tap';
import { LatencyBins } from '../../src/guard/latency-bins.ts';
import { BINS_MAX } from '../../src/guard/slot.ts';

void t.test('what is added to bins is what a map would have, in the order of the bins', async () => {
  // Also far beyond what fits into 32 bits together with the bin.
  const anyBins = fc.array(
    fc.tuple(fc.nat({ max: BINS_MAX - 1 }), fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 2 ** 40 }))),
  );
  fc.assert(
    fc.property(fc.array(anyBins), (added) => {
      const bins = new LatencyBins();
      const map = new Map<number, number>();
      for (const some of added) {
        const each = new Map(some);
        bins.add(each);
        for (const [bin, requests] of each) map.set(bin, (map.get(bin) ?? 0) + requests);
      }
      const inOrder = [...map].sort(([a], [b]) => a - b);
      const all = Array.from({ length: BINS_MAX }, (_, bin) => bin);
      return (
        JSON.stringify([...bins]) === JSON.stringify(inOrder) &&
        all.every((bin) => bins.get(bin) === map.get(bin))
      );
    }),
  );
});

void t.test('bins can be added to bins', async (t) => {
  const [one, two] = [new LatencyBins(), new LatencyBins()];
  one.add(new Map([[7, 1]]));
  two.add(
    new Map([
      [9, 3],
      [7, 2],
    ]),
  );
  one.add(two);
  t.same(
    [...one],
    [
      [7, 3],
      [9, 3],
    ],
  );
  t.same(
    [...two],
    [
      [7, 2],
      [9, 3],
    ],
  );
});
