import fc from 'fast-check';
import t from 'tap';
import {
  bucketOf,
  DURATION_SHAPE,
  Histogram,
  HOLD_SHAPE,
  histogramShape,
  OVERHEAD_SHAPE,
} from '../../src/telemetry/histogram.ts';

const SHAPES = [DURATION_SHAPE, OVERHEAD_SHAPE, HOLD_SHAPE, histogramShape([0.000001, 0.0000015, 100])];

/** What Prometheus means by `le`: the first bound that is not below the value. */
function bucketByDefinition(boundsMs: Float64Array, ms: number): number {
  const bucket = boundsMs.findIndex((bound) => ms <= bound);
  return bucket === -1 ? boundsMs.length : bucket;
}

void t.test('every value falls in the bucket of the first bound that is not below it', async (t) => {
  const exponent = fc.double({ min: -5, max: 8, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...SHAPES), exponent, (shape, power) => {
      const ms = 10 ** power;
      return bucketOf(shape, ms) === bucketByDefinition(shape.boundsMs, ms);
    }),
    { numRuns: 5_000 },
  );
  t.pass('5,000 values');
});

void t.test('a value on a bound belongs to that bound, one just above it to the next', async (t) => {
  for (const shape of SHAPES) {
    for (const [index, bound] of shape.boundsMs.entries()) {
      t.equal(bucketOf(shape, bound), index, `${bound} ms`);
      t.equal(bucketOf(shape, bound * (1 + Number.EPSILON)), index + 1, `just above ${bound} ms`);
    }
  }
});

void t.test(
  'what is not a positive number counts as zero, and what is enormous in the last bucket',
  async (t) => {
    const histogram = new Histogram(DURATION_SHAPE);
    for (const odd of [Number.NaN, -1, 0]) histogram.observe(odd);
    histogram.observe(1e12);
    t.equal(histogram.counts[0], 3);
    t.equal(histogram.counts.at(-1), 1);
    t.equal(histogram.sumMs, 1e12);
  },
);
