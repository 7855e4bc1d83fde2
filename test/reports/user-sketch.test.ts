import t from 'tap';
import { estimateUsers, mergeUsers, USERS_ERROR, UserSketch } from '../../src/reports/user-sketch.ts';

const KEY = Buffer.alloc(32, 1);

function sketch(from: number, to: number, key: Uint8Array = KEY): UserSketch {
  const users = new UserSketch();
  for (let user = from; user < to; user += 1) users.add(`customer-${user}`, key);
  return users;
}

await t.test('the estimate is within four standard errors, from one user to 200,000', (t) => {
  for (const users of [1, 10, 100, 1_000, 2_500, 5_000, 50_000, 200_000]) {
    const estimate = sketch(0, users).estimate();
    t.ok(Math.abs(estimate - users) <= Math.max(1, 4 * USERS_ERROR * users), `${estimate} of ${users}`);
  }
  t.end();
});

await t.test('nobody is no bytes, and zero', (t) => {
  t.equal(new UserSketch().encode().length, 0);
  t.equal(estimateUsers(new Uint8Array()), 0);
  t.end();
});

await t.test('merged sketches are the sketch of both, sparse or not', (t) => {
  for (const [a, b, c, d] of [
    [0, 50, 25, 80],
    [0, 400, 300, 900],
    [0, 5_000, 4_000, 9_000],
    [0, 5_000, 0, 0],
  ] as const) {
    const merged = mergeUsers(sketch(a, b).encode(), sketch(c, d).encode());
    const both = sketch(a, Math.max(b, d));
    t.strictSame(Buffer.from(merged), Buffer.from(both.encode()));
    t.ok(merged.length <= 1_025);
    t.equal(estimateUsers(merged), both.estimate());
  }
  t.end();
});

await t.test('another key makes another sketch: users cannot be recognised without it', (t) => {
  t.notSame(sketch(0, 5).encode(), sketch(0, 5, Buffer.alloc(32, 2)).encode());
  t.end();
});
