import fc from 'fast-check';
import t from 'tap';
import { bucketOf, isFull, murmur3, murmur3Bytes, rampSeed } from '../../src/decision/ramp.ts';
import { RAMP_BUCKETS } from '../../src/model.ts';

const utf8 = new TextEncoder();
const unsigned = (hash: number): number => hash >>> 0;

void t.test('the hash agrees with the published vectors of MurmurHash3_x86_32', async (t) => {
  const vectors: [string, number, number][] = [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['abcd', 0x9747b28c, 0xf0478627],
    ['abc', 0x9747b28c, 0xc84a62dd],
    ['ab', 0x9747b28c, 0x74875592],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ];
  for (const [text, seed, expected] of vectors) {
    t.equal(unsigned(murmur3(text, seed)), expected, JSON.stringify(text));
    t.equal(unsigned(murmur3Bytes(utf8.encode(text), seed)), expected, `${JSON.stringify(text)} as bytes`);
  }
  t.equal(unsigned(murmur3Bytes(Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0)), 0x76293b50);
  t.equal(unsigned(murmur3Bytes(Uint8Array.of(0x21, 0x43, 0x65, 0x87), 0)), 0xf55b516b);
  t.equal(unsigned(murmur3Bytes(Uint8Array.of(0x21, 0x43, 0x65), 0)), 0x7e4a8634);
  t.equal(unsigned(murmur3Bytes(Uint8Array.of(0, 0, 0, 0), 0)), 0x2362f9de);
});

void t.test('the hash passes the verification of the SMHasher suite', async (t) => {
  const hashes = new DataView(new ArrayBuffer(256 * 4));
  for (let length = 0; length < 256; length += 1) {
    const key = Uint8Array.from({ length }, (_, i) => i);
    hashes.setInt32(length * 4, murmur3Bytes(key, 256 - length), true);
  }
  t.equal(unsigned(murmur3Bytes(new Uint8Array(hashes.buffer), 0)), 0xb0f57ee3);
});

void t.test('text and its UTF-8 bytes hash alike, lone surrogates included', async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
      fc.integer(),
      (text, seed) => murmur3(text, seed) === murmur3Bytes(utf8.encode(text), seed),
    ),
  );
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes)),
      (text) => murmur3(text, 7) === murmur3Bytes(utf8.encode(text), 7),
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 300, maxLength: 700 }), (text) => {
      return murmur3(text, 7) === murmur3Bytes(utf8.encode(text), 7);
    }),
  );
});

/** Computed by another implementation, in another language: another machine has to agree. */
const EXPECTED_BUCKETS: readonly (readonly [salt: string, user: string, bucket: number])[] = [
  ['everyone', '1', 1145],
  ['everyone', '42', 3880],
  ['everyone', 'alice', 8003],
  ['everyone', 'alice@example.com', 7870],
  ['everyone', 'user-0000000123', 1484],
  ['everyone', '0b7c8a52-6f7c-4a55-9d56-0f2f2b2b1c11', 9536],
  ['everyone', 'café', 6474],
  ['everyone', '张伟', 4323],
  ['everyone', '🦊🚂', 2191],
  ['everyone', 'naïve user', 8924],
  ['everyone', 'x'.repeat(256), 8337],
  ['beta-2027', '1', 8547],
  ['beta-2027', '42', 8899],
  ['beta-2027', 'alice', 7158],
  ['beta-2027', 'alice@example.com', 1345],
  ['beta-2027', 'user-0000000123', 9123],
  ['beta-2027', '0b7c8a52-6f7c-4a55-9d56-0f2f2b2b1c11', 1139],
  ['beta-2027', 'café', 1929],
  ['beta-2027', '张伟', 3555],
  ['beta-2027', '🦊🚂', 2279],
  ['beta-2027', 'naïve user', 4478],
  ['beta-2027', 'x'.repeat(256), 6394],
  ['sälz', '1', 5955],
  ['sälz', '42', 5871],
  ['sälz', 'alice', 9879],
  ['sälz', 'alice@example.com', 8311],
  ['sälz', 'user-0000000123', 1639],
  ['sälz', '0b7c8a52-6f7c-4a55-9d56-0f2f2b2b1c11', 6871],
  ['sälz', 'café', 1354],
  ['sälz', '张伟', 5203],
  ['sälz', '🦊🚂', 1029],
  ['sälz', 'naïve user', 3428],
  ['sälz', 'x'.repeat(256), 2430],
];

void t.test('a user has the same bucket on every machine and after every restart', async (t) => {
  for (const [salt, user, bucket] of EXPECTED_BUCKETS) {
    t.equal(bucketOf(rampSeed(salt), user), bucket, `${salt} / ${user.slice(0, 40)}`);
  }
});

void t.test('every bucket is a whole number from 0 to 9,999', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (salt, user) => {
      const bucket = bucketOf(rampSeed(salt), user);
      return Number.isInteger(bucket) && bucket >= 0 && bucket < RAMP_BUCKETS;
    }),
  );
});

/** Pearson's statistic against equal expectations. */
function chiSquare(observed: readonly number[], total: number): number {
  const expected = total / observed.length;
  return observed.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** The mean of chi-square is its degrees of freedom, its variance twice that; 4 deviations are 1 in 30,000. */
function isPlausible(statistic: number, degrees: number): boolean {
  return Math.abs(statistic - degrees) < 4 * Math.sqrt(2 * degrees);
}

const USERS = 100_000;
const shapes: readonly (readonly [string, (i: number) => string])[] = [
  ['counted', (i) => String(i)],
  ['padded', (i) => `user-${String(i).padStart(10, '0')}`],
  ['mail', (i) => `u${i}@example.com`],
  ['non-ASCII', (i) => `użytkownik-${i}`],
];

for (const [name, userAt] of shapes) {
  void t.test(`${name} users spread evenly over the buckets (chi-square, ${USERS} users)`, async (t) => {
    const seed = rampSeed('everyone');
    const counts = Array.from({ length: RAMP_BUCKETS }, () => 0);
    for (let i = 0; i < USERS; i += 1) {
      const bucket = bucketOf(seed, userAt(i));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const statistic = chiSquare(counts, USERS);
    t.ok(isPlausible(statistic, RAMP_BUCKETS - 1), `chi-square ${statistic.toFixed(0)}`);
  });

  void t.test(`the buckets of two cohorts are independent for ${name} users (chi-square)`, async (t) => {
    for (const [one, other] of [
      ['a', 'b'],
      ['staff', 'staff2'],
      ['everyone', ''],
    ] as const) {
      const first = rampSeed(one);
      const second = rampSeed(other);
      const side = 20;
      const joint = Array.from({ length: side * side }, () => 0);
      for (let i = 0; i < USERS; i += 1) {
        const user = userAt(i);
        const row = Math.floor((bucketOf(first, user) * side) / RAMP_BUCKETS);
        const cell = row * side + Math.floor((bucketOf(second, user) * side) / RAMP_BUCKETS);
        joint[cell] = (joint[cell] ?? 0) + 1;
      }
      const statistic = chiSquare(joint, USERS);
      t.ok(
        isPlausible(statistic, side * side - 1),
        `${one} and ${other}: chi-square ${statistic.toFixed(0)}`,
      );
    }
  });
}

void t.test('a ramp of all buckets is full, any other is not', async (t) => {
  t.ok(isFull({ kind: 'percent', buckets: RAMP_BUCKETS }));
  t.notOk(isFull({ kind: 'percent', buckets: RAMP_BUCKETS - 1 }));
  t.notOk(isFull({ kind: 'count', count: 1_000_000_000 }));
});
