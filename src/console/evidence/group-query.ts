/** What a list of mismatch groups shows, as it stands in the address of the page and in a question to the API. */

export const STATUSES = ['open', 'acknowledged', 'ignored', 'resolved'] as const;
export const JUDGEMENTS = ['reported', 'unproven', 'unconfirmed', 'noise'] as const;

export const SORTS = [
  { sort: 'importance', label: 'weight × share' },
  { sort: 'weight', label: 'weight' },
  { sort: 'share', label: 'share of reads' },
  { sort: 'users', label: 'users' },
  { sort: 'last_seen', label: 'last seen' },
  { sort: 'first_seen', label: 'first seen' },
  { sort: 'reads', label: 'reads' },
] as const;
export type Sort = (typeof SORTS)[number]['sort'];

export interface GroupFilters {
  /** None: all of them. */
  readonly statuses: readonly string[];
  readonly judgements: readonly string[];
  readonly route: string | undefined;
  /** Empty: requests without a cohort. */
  readonly cohort: string | undefined;
  readonly sort: Sort;
}

/** What somebody has to look after; the address does not mention it. */
const STATUSES_SHOWN: readonly string[] = ['open', 'acknowledged'];
const JUDGEMENTS_SHOWN: readonly string[] = ['reported', 'unproven'];
const ALL = 'all';

function wordsOf(text: string | null, known: readonly string[], shown: readonly string[]): readonly string[] {
  if (text === null) return shown;
  if (text === ALL) return known;
  const words = text.split(',').filter((word) => known.includes(word));
  return words.length === 0 ? shown : words;
}

/** @param query of the address, which anybody may have written: words that mean nothing are passed over */
export function filtersOf(query: URLSearchParams): GroupFilters {
  const sort = SORTS.find((one) => one.sort === query.get('sort'))?.sort ?? 'importance';
  return {
    statuses: wordsOf(query.get('status'), STATUSES, STATUSES_SHOWN),
    judgements: wordsOf(query.get('judgement'), JUDGEMENTS, JUDGEMENTS_SHOWN),
    route: query.get('route') ?? undefined,
    cohort: query.get('cohort') ?? undefined,
    sort,
  };
}

function wordsIn(words: readonly string[], known: readonly string[], shown: readonly string[]) {
  const chosen = known.filter((word) => words.includes(word));
  if (chosen.length === shown.length && chosen.every((word) => shown.includes(word))) return undefined;
  return chosen.length === known.length || chosen.length === 0 ? ALL : chosen.join(',');
}

/** The other way around; `undefined` for what the address need not say. */
export function addressOf(filters: GroupFilters): Readonly<Record<string, string | undefined>> {
  const { statuses, judgements, route, cohort, sort } = filters;
  return {
    status: wordsIn(statuses, STATUSES, STATUSES_SHOWN),
    judgement: wordsIn(judgements, JUDGEMENTS, JUDGEMENTS_SHOWN),
    route,
    cohort,
    sort: sort === 'importance' ? undefined : sort,
  };
}

/** With the word when it is not there, without it when it is; never without any. */
export function toggled(words: readonly string[], word: string): readonly string[] {
  const others = words.filter((one) => one !== word);
  if (others.length === words.length) return [...words, word];
  return others.length === 0 ? words : others;
}

/** The question to the API. @param limit groups on a page */
export function listPath(filters: GroupFilters, limit: number, cursor?: string): string {
  const { statuses, judgements, route, cohort, sort } = filters;
  const query = new URLSearchParams({ sort, limit: String(limit) });
  if (statuses.length < STATUSES.length) query.set('status', statuses.join(','));
  query.set('judgement', judgements.length < JUDGEMENTS.length ? judgements.join(',') : ALL);
  if (route !== undefined) query.set('route', route);
  if (cohort !== undefined) query.set('cohort', cohort);
  if (cursor !== undefined) query.set('cursor', cursor);
  return `/api/v1/mismatches?${query.toString()}`;
}
