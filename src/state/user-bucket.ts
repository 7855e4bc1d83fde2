import type { User } from '../model.ts';

/**
 * The bucket of a user: FNV-1a over its UTF-8, 32 bits, then the finaliser of MurmurHash3, because FNV's low
 * bits alone are not even enough for a modulus. Fixed for good: another hash would lose every stored user.
 * Sources: RFC 9923 (FNV); MurmurHash3's fmix32.
 * @param buckets 1 to 2^31
 */
export function userBucket(user: User, buckets: number): number {
  const bytes = Buffer.from(user, 'utf8');
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % buckets;
}
