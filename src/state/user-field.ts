/**
 * The field that stands for a user inside its bucket. It may have 64 bytes at the most: one longer field and
 * Redis turns the whole bucket from a packed list into a hash table of about three times the size.
 *
 * - a UUID in lower case: 0x01 and its 16 bytes, less than half of the text;
 * - other text up to 63 bytes: as it is (0x02 is put before text that begins with a byte below 0x03);
 * - longer text: 0x00 and its SHA-256.
 *
 * The first byte tells the forms apart, so no two users share a field.
 */
import { createHash } from 'node:crypto';
import type { User } from '../model.ts';
import { packUuid } from './uuid.ts';

const DIGEST = 0x00;
const UUID = 0x01;
const ESCAPED = 0x02;
const TEXT_BYTES_MAX = 63;

/** The field of the bucket's mark, which no user has: a digest tag without a digest. */
export const MARK_FIELD = Buffer.of(DIGEST);

export function userField(user: User): Buffer {
  const uuid = packUuid(user);
  if (uuid !== undefined) return Buffer.concat([Buffer.of(UUID), uuid]);
  const text = Buffer.from(user, 'utf8');
  if (text.length > TEXT_BYTES_MAX) {
    return Buffer.concat([Buffer.of(DIGEST), createHash('sha256').update(text).digest()]);
  }
  const first = text[0];
  return first !== undefined && first <= ESCAPED ? Buffer.concat([Buffer.of(ESCAPED), text]) : text;
}
