import fc from 'fast-check';
import t from 'tap';
import { userBucket } from '../../src/state/user-bucket.ts';
import { MARK_FIELD, userField } from '../../src/state/user-field.ts';

await t.test('a user is in the same bucket for ever, on every machine', async (t) => {
  // Stored maps depend on these: a change of them loses every user.
  t.equal(userBucket('user-1', 65_536), 35_564);
  t.equal(userBucket('é用户', 65_536), 14_940);
  t.equal(userBucket('5b1f1a6e-3f0e-4a4e-9e6f-0123456789ab', 65_536), 35_392);
});

await t.test('users spread evenly over the buckets', async (t) => {
  for (const name of [(n: number) => `${n}`, (n: number) => `user-${n}@example.com`]) {
    const buckets = 256;
    const counts = Array.from({ length: buckets }, () => 0);
    const users = 100_000;
    for (let n = 0; n < users; n++) {
      const bucket = userBucket(name(n), buckets);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const expected = users / buckets;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: 1 in 10,000 sets of random numbers is over 347.
    t.ok(chiSquare < 347, `chi-square ${chiSquare}`);
  }
});

await t.test('no two users share a field, and none is long or the mark', async (t) => {
  const user = fc.oneof(
    fc.uuid(),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 90 }).filter((text) => text.isWellFormed()),
    fc.integer().map(String),
  );
  fc.assert(
    fc.property(user, user, (a, b) => {
      const field = userField(a);
      t.ok(field.length >= 1 && field.length <= 64);
      t.notOk(field.equals(MARK_FIELD));
      t.equal(field.equals(userField(b)), a === b);
    }),
    { numRuns: 500 },
  );
  // A text that looks like the packed form of a UUID.
  const uuid = '5b1f1a6e-3f0e-4a4e-9e6f-0123456789ab';
  t.not(userField('\u0001[\u001f\u001an?\u000eJNo').toString('hex'), userField(uuid).toString('hex'));
});
