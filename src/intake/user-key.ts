/** What may be a user's key, whatever source it comes from. */

import type { User } from '../model.ts';
import { USER_BYTES_MAX } from '../model.ts';
import { utf8OfBytes } from '../routing/percent-decode.ts';

export type UserProblem = 'user_too_long' | 'user_control_characters' | 'user_not_utf8';

/** A key, or why the text cannot be one. The text is not empty: an empty value is an absent user. */
export interface UserReading {
  readonly user: User | undefined;
  readonly problem: UserProblem | undefined;
}

const TOO_LONG: UserReading = Object.freeze({ user: undefined, problem: 'user_too_long' });
const CONTROLS: UserReading = Object.freeze({ user: undefined, problem: 'user_control_characters' });
const NOT_UTF8: UserReading = Object.freeze({ user: undefined, problem: 'user_not_utf8' });

/**
 * Checks a key: at most 256 bytes of UTF-8, no control characters (C0, DEL, C1), valid Unicode. It is taken
 * as it is: neither trimmed nor normalised, nor is its case changed.
 */
export function readUser(text: string): UserReading {
  const length = text.length;
  if (length > USER_BYTES_MAX) return TOO_LONG;
  let ascii = true;
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return CONTROLS;
    if (code > 0x7f) ascii = false;
  }
  if (!ascii) {
    if (!text.isWellFormed()) return NOT_UTF8;
    if (Buffer.byteLength(text, 'utf8') > USER_BYTES_MAX) return TOO_LONG;
  }
  return { user: text, problem: undefined };
}

/**
 * Checks a key that came as bytes (a header, a cookie), one character for a byte. They have to be UTF-8: a
 * key that each side spells in its own encoding would be two users.
 */
export function readUserBytes(bytes: string): UserReading {
  if (bytes.length > USER_BYTES_MAX) return TOO_LONG;
  const text = utf8OfBytes(bytes);
  return text === undefined ? NOT_UTF8 : readUser(text);
}
