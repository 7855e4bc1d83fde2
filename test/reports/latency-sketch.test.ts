import fc from 'fast-check';
import t from 'tap';
import { LatencySketch, mergeLatencies } from '../../src/reports/latency-sketch.ts';

await t.test('quantiles are within 5 % of those of the values', (t) => {
  const sketch = new LatencySketch();
  const values = Array.from({ length: 1_000 }, (_, at) => 0.1 * 1.01 ** at);
  for (const ms of values) sketch.observe(ms, ms * 3);
  const figures = sketch.figures();
  for (const [share, found, slower] of [
    [0.5, figures?.authoritative.p50Ms, figures?.difference.p50Ms],
    [0.9, figures?.authoritative.p90Ms, figures?.difference.p90Ms],
    [0.99, figures?.authoritative.p99Ms, figures?.difference.p99Ms],
  ] as const) {
    const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
    t.ok(Math.abs((found ?? 0) / exact - 1) < 0.051, `${found} for ${exact}`);
    t.ok(Math.abs((slower ?? 0) / (2 * exact) - 1) < 0.051, `${slower} slower`);
  }
  t.end();
});

await t.test('differences are of pairs: a secondary that is faster counts below zero', (t) => {
  const sketch = new LatencySketch();
  for (let read = 0; read < 10; read += 1) sketch.observe(100, read < 8 ? 20 : 180);
  const difference = sketch.figures()?.difference;
  t.ok((difference?.p50Ms ?? 0) < -75 && (difference?.p50Ms ?? 0) > -85);
  t.ok((difference?.p90Ms ?? 0) > 75 && (difference?.p90Ms ?? 0) < 85);
  t.end();
});

await t.test('without a pair there is nothing to say', (t) => {
  t.equal(new LatencySketch().figures(), undefined);
  t.end();
});

await t.test('a merged sketch is the sketch of all, through bytes', (t) => {
  const pairs = fc.array(
    fc.tuple(fc.double({ min: 0, max: 700_000, noNaN: true }), fc.double({ min: 0, max: 9e5, noNaN: true })),
  );
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      const of = (list: readonly (readonly [number, number])[]) => {
        const sketch = new LatencySketch();
        for (const [a, b] of list) sketch.observe(a, b);
        return sketch;
      };
      const merged = new LatencySketch();
      merged.merge(mergeLatencies(of(one).encode(), of(other).encode()));
      const whole = of([...one, ...other]).figures();
      const found = merged.figures();
      t.strictSame(found?.difference, whole?.difference);
      t.strictSame(found?.pairs, whole?.pairs);
      t.equal(found?.secondary.p99Ms, whole?.secondary.p99Ms);
      t.ok(Math.abs((found?.authoritative.meanMs ?? 0) - (whole?.authoritative.meanMs ?? 0)) < 0.01);
    }),
    { numRuns: 30 },
  );
  t.end();
});

await t.test('bytes of something else are refused', (t) => {
  t.throws(() => new LatencySketch().merge(Uint8Array.of(9, 1)), RangeError);
  t.throws(() => new LatencySketch().merge(Uint8Array.of(1, 200)), RangeError);
  t.end();
});
