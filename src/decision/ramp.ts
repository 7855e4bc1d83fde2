/**
 * Who is inside a ramp. The bucket of a user is a stable function of the cohort's salt and the user, so that
 * every gateway, on every machine and after every restart, puts the user in the same one.
 *
 * The hash is MurmurHash3_x86_32 by Austin Appleby (public domain, `MurmurHash3.cpp` of the SMHasher suite),
 * written anew for UTF-8 text. It is not cryptographic, and need not be: a user who could choose a bucket
 * would only choose the backend.
 */

import type { Ramp } from '../model.ts';
import { RAMP_BUCKETS } from '../model.ts';

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

const encoder = new TextEncoder();
/** Room for the UTF-8 of a user outside ASCII, so that hashing one allocates nothing either. */
const scratch = new Uint8Array(1024);

/** Folds one little-endian 32-bit block into the hash. */
function mixBlock(hash: number, block: number): number {
  const scrambled = scramble(block);
  const mixed = hash ^ scrambled;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const k = Math.imul(block, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
}

/** Spreads the last bits over the whole word. */
function finish(hash: number, lengthBytes: number): number {
  let h = hash ^ lengthBytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * MurmurHash3_x86_32 of the first `length` bytes.
 * @returns a signed 32-bit integer; `>>> 0` gives the usual unsigned form.
 */
export function murmur3Bytes(bytes: Uint8Array, seed: number, length = bytes.length): number {
  let hash = seed | 0;
  let block = 0;
  let shift = 0;
  for (let i = 0; i < length; i += 1) {
    block |= (bytes[i] ?? 0) << shift;
    shift += 8;
    if (shift === 32) {
      hash = mixBlock(hash, block);
      block = 0;
      shift = 0;
    }
  }
  if (shift !== 0) hash ^= scramble(block);
  return finish(hash, length);
}

/**
 * MurmurHash3_x86_32 of the text's UTF-8 bytes. A lone surrogate counts as U+FFFD, as encoders write it.
 * Allocates nothing for ASCII text: it runs for every request of a cohort on a ramp.
 * @returns a signed 32-bit integer: unlike an unsigned one it always fits a register, and is never boxed.
 */
export function murmur3(text: string, seed: number): number {
  const length = text.length;
  let hash = seed | 0;
  let i = 0;
  for (const whole = length - 3; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0x7f) return murmur3Encoded(text, seed);
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  if (i < length) {
    let block = 0;
    for (let shift = 0; i < length; i += 1, shift += 8) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return murmur3Encoded(text, seed);
      block |= code << shift;
    }
    hash ^= scramble(block);
  }
  return finish(hash, length);
}

function murmur3Encoded(text: string, seed: number): number {
  // A character of a string is three bytes of UTF-8 at the most.
  if (text.length * 3 > scratch.length) return murmur3Bytes(encoder.encode(text), seed);
  return murmur3Bytes(scratch, seed, encoder.encodeInto(text, scratch).written);
}

/** The seed of a cohort's buckets. Compute it once for a cohort, not for a request. */
export function rampSeed(salt: string): number {
  return murmur3(salt, 0);
}

/**
 * The bucket of a user, 0 to 9,999. One bucket is 0.01 % of the users.
 * The remainder favours the lower buckets by less than one part in 400,000.
 * @param seed of the cohort's salt, from `rampSeed`
 */
export function bucketOf(seed: number, key: string): number {
  return (murmur3(key, seed) >>> 0) % RAMP_BUCKETS;
}

/** Whether the ramp admits everybody whatever the bucket, so that nothing has to be hashed. */
export function isFull(ramp: Ramp): boolean {
  return ramp.kind === 'percent' && ramp.buckets >= RAMP_BUCKETS;
}

/** Whether both admit the same users. */
export function isSameRamp(one: Ramp, other: Ramp): boolean {
  switch (one.kind) {
    case 'percent':
      return other.kind === 'percent' && one.buckets === other.buckets;
    case 'count':
      return other.kind === 'count' && one.count === other.count;
    default: {
      const unknown: never = one;
      return unknown;
    }
  }
}
