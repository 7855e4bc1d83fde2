/** Which groups are shown, in which order, a page at a time. Pure. */
import { byImportance, type JudgedGroup } from './judged-group.ts';
import type { GroupStatus } from './report-store.ts';
import type { JudgementKind } from './statistics.ts';

export const GROUP_SORTS = [
  'importance',
  'weight',
  'share',
  'users',
  'reads',
  'last_seen',
  'first_seen',
] as const;
export type GroupSort = (typeof GROUP_SORTS)[number];

export const GROUPS_PAGE_MAX = 200;

export interface GroupFilter {
  /** Any of them; none: every status. */
  readonly statuses: readonly GroupStatus[];
  /** Any of them; none: what is reported, or looks as if it should be. */
  readonly judgements: readonly JudgementKind[];
  readonly sort: GroupSort;
  /** The id of the last group of the page before. */
  readonly after?: string;
  /** 1 to `GROUPS_PAGE_MAX`. */
  readonly limit: number;
}

/** Shown unless somebody asks for the rest. */
export const SHOWN: readonly JudgementKind[] = ['reported', 'unproven'];

export interface GroupPage {
  readonly groups: readonly JudgedGroup[];
  readonly hasMore: boolean;
  /** Groups that the filter lets through. */
  readonly total: number;
  /** Groups of these statuses by what they are judged to be, shown or not. */
  readonly judged: Readonly<Record<JudgementKind, number>>;
}

/** @throws RangeError for an `after` that the filter does not let through: its group has changed since */
export function pageOfGroups(groups: readonly JudgedGroup[], filter: GroupFilter): GroupPage {
  const { statuses, judgements, sort, after, limit } = filter;
  const ofStatus = groups.filter(({ status }) => statuses.length === 0 || statuses.includes(status));
  const judged = { reported: 0, unproven: 0, unconfirmed: 0, noise: 0 };
  for (const { judgement } of ofStatus) judged[judgement.kind] += 1;
  const wanted = judgements.length === 0 ? SHOWN : judgements;
  const found = ofStatus.filter(({ judgement }) => wanted.includes(judgement.kind)).sort(orderOf(sort));
  const begin = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && begin === 0)
    throw new RangeError('there is no group in this list to go on from');
  return {
    groups: found.slice(begin, begin + limit),
    hasMore: begin + limit < found.length,
    total: found.length,
    judged,
  };
}

function orderOf(sort: GroupSort): (a: JudgedGroup, b: JudgedGroup) => number {
  switch (sort) {
    case 'importance':
      return byImportance;
    case 'weight':
      return (a, b) => b.weight - a.weight || byImportance(a, b);
    case 'share':
      return (a, b) => b.share.share - a.share.share || byImportance(a, b);
    case 'last_seen':
      return (a, b) => b.lastSeen - a.lastSeen || byImportance(a, b);
    case 'first_seen':
      return (a, b) => b.firstSeen - a.firstSeen || byImportance(a, b);
    case 'reads':
      return (a, b) => b.raw - a.raw || byImportance(a, b);
    case 'users':
      return (a, b) => b.users.estimate - a.users.estimate || byImportance(a, b);
    default:
      return sort satisfies never;
  }
}
