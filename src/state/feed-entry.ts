/** An entry of the change feed, taken apart. Records stay bytes: whether they can be read is a later question. */
import { bytes, integer, list, pairs, text } from './reply.ts';

export type FeedChange =
  /** A user's record was replaced. */
  | { readonly kind: 'user'; readonly user: string; readonly record: Buffer }
  /** Users were placed by rules, or, `byChange`, their records were replaced by a change that waits for gateways. */
  | {
      readonly kind: 'placed';
      readonly users: readonly { readonly user: string; readonly record: Buffer }[];
      readonly byChange: boolean;
    }
  /** Cohorts or holds changed. */
  | { readonly kind: 'shared' }
  /** The record with that version is in its bucket. */
  | { readonly kind: 'settled'; readonly user: string; readonly version: number };

export interface FeedEntry {
  readonly id: string;
  readonly epoch: number;
  readonly change: FeedChange;
}

function changeOf(kind: string, fields: [Buffer, Buffer][]): FeedChange {
  const one = (name: string): Buffer => {
    const found = fields.find(([key]) => key.toString() === name);
    if (found === undefined) throw new TypeError(`a change of kind ${kind} has no ${name}`);
    return found[1];
  };
  switch (kind) {
    case 'u':
      return { kind: 'user', user: text(one('u')), record: one('r') };
    case 'p': {
      const users: { user: string; record: Buffer }[] = [];
      let user: string | undefined;
      for (const [key, value] of fields) {
        if (key.toString() === 'u') user = text(value);
        else if (key.toString() === 'r' && user !== undefined) users.push({ user, record: value });
      }
      return { kind: 'placed', users, byChange: fields.some(([key]) => key.toString() === 'c') };
    }
    case 's':
      return { kind: 'shared' };
    case 'd':
      return { kind: 'settled', user: text(one('u')), version: integer(one('v')) };
    default:
      throw new TypeError(`the change feed has a change of kind ${kind}, which this version does not know`);
  }
}

/** @throws TypeError for what is no entry, or one of a kind that a later version writes */
export function feedEntry(reply: unknown): FeedEntry {
  const [id, body] = list(reply);
  const fields = pairs(body);
  const value = (name: string): Buffer => bytes(fields.find(([key]) => key.toString() === name)?.[1]);
  return { id: text(id), epoch: integer(value('e')), change: changeOf(text(value('k')), fields) };
}
