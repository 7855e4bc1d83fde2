/** Lists that are read page by page. A cursor means nothing to a client but "from here on". */
import { type TSchema, Type } from '@sinclair/typebox';
import { AdminError } from './admin-error.ts';

export const PAGE_MAX = 500;
const PAGE_DEFAULT = 50;

/** Query parameters are text, also where they are numbers. */
export const PageQuery = {
  limit: Type.String({
    pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
    default: String(PAGE_DEFAULT),
    description: `Items on a page, 1 to ${PAGE_MAX}.`,
  }),
  cursor: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{1,400}$',
      description: 'The `next` of the page before.',
    }),
  ),
};

export function PageSchema<T extends TSchema>(items: T) {
  return Type.Object({
    items: Type.Array(items),
    /** The cursor of the next page; `null` on the last one. */
    next: Type.Union([Type.String(), Type.Null()]),
  });
}

export function cursorOf(last: string): string {
  return Buffer.from(last).toString('base64url');
}

export function readCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}

/** For lists that are short enough to be had whole. @throws AdminError when the cursor points at nothing */
export function pageOf<T>(all: readonly T[], keyOf: (item: T) => string, limit: number, cursor?: string) {
  const last = cursor === undefined ? undefined : readCursor(cursor);
  const begin = last === undefined ? 0 : all.findIndex((item) => keyOf(item) === last) + 1;
  if (last !== undefined && begin === 0) throw cursorUnknown();
  const items = all.slice(begin, begin + limit);
  const end = items.at(-1);
  const more = begin + limit < all.length && end !== undefined;
  return { items, next: more ? cursorOf(keyOf(end)) : null };
}

export function cursorUnknown(): AdminError {
  return new AdminError('invalid_request', 'What the cursor points at is gone. Begin at the first page.');
}
