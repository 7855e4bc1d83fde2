/** The part of the address after `#`: which page, of what, with which filters. Pure. */

export interface Route {
  /** `['cohorts', 'staff']` for `#/cohorts/staff`; empty for the overview. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Values of a query; `undefined` and an empty text are left out. */
export type QueryValues = Readonly<Record<string, string | undefined>>;

/** @param hash as in `location.hash`. What cannot be decoded stays as it was written. */
export function parseHash(hash: string): Route {
  const [path = '', ...query] = hash.replace(/^#/u, '').split('?');
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decoded),
    query: new URLSearchParams(query.join('?')),
  };
}

/** @returns `#/cohorts/staff?tab=members` */
export function hashOf(path: readonly string[], query: QueryValues | URLSearchParams = {}): string {
  const values = query instanceof URLSearchParams ? query : searchOf(query);
  const search = values.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** The query with some values changed; an `undefined` or empty one is taken out. */
export function changedQuery(query: URLSearchParams, changes: QueryValues): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(name);
    else next.set(name, value);
  }
  return next;
}

function searchOf(values: QueryValues): URLSearchParams {
  return changedQuery(new URLSearchParams(), values);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
