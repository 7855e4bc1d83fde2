import type { User } from '../model.ts';
import { USER_GROUPS } from './slot.ts';

/**
 * The group of a user, 0 to `USER_GROUPS` - 1, the same at every gateway: FNV-1a over the UTF-16 units, two at a time,
 * because this is done for every request; then two steps of mixing, because FNV's low bits alone are not even.
 */
export function userGroup(user: User): number {
  let hash = 0x811c9dc5;
  let at = 0;
  for (; at + 1 < user.length; at += 2) {
    const units = user.charCodeAt(at) ^ (user.charCodeAt(at + 1) << 16);
    hash = Math.imul(hash ^ units, 0x01000193);
  }
  if (at < user.length) hash = Math.imul(hash ^ user.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % USER_GROUPS;
}
