import type { User } from '../model.ts';
import { userKey } from './user-row.ts';

/** Users as one JSON parameter: their keys in hex, as both clients send it alike. */
export function keyList(users: readonly User[]): string {
  return JSON.stringify(users.map((user) => Buffer.from(userKey(user)).toString('hex')));
}

/** The keys of a parameter that `keyList` made, as a subquery; `place` counts from 1. */
export function keysOf(parameter: string): string {
  return `(SELECT decode(value, 'hex') AS key, place::integer
    FROM jsonb_array_elements_text(${parameter}::jsonb) WITH ORDINALITY AS list (value, place))`;
}
