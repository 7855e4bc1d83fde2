/**
 * The ramp bucket of a user, once more: MurmurHash3_x86_32 (Austin Appleby, public domain) of the user's bytes, seeded
 * with that of the cohort's salt, modulo 10,000. Plain arithmetic on bytes: this one need not be fast.
 */

const BUCKETS = 10_000;

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function murmur(text: string, seed: number): number {
  const bytes = Buffer.from(text, 'utf8');
  const mixed = (block: number): number => Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length - (bytes.length % 4);
  let hash = seed;
  for (let at = 0; at < whole; at += 4) {
    hash = Math.imul(rotated(hash ^ mixed(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) tail = (tail << 8) | (bytes[at] ?? 0);
  if (whole < bytes.length) hash ^= mixed(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 0 to 9,999. */
export function bucketOf(salt: string, user: string): number {
  return murmur(user, murmur(salt, 0)) % BUCKETS;
}
