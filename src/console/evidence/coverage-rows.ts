/** Coverage as the page shows it: how far back, in which order, and what was skipped in words. Pure. */
import type { CoverageDocument } from '../../admin/evidence-documents.ts';
import { formatCount } from '../format.ts';

export type CoverageRow = CoverageDocument['rows'][number];

export const DAYS = [
  { value: '1', label: '1 day' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
] as const;
export type Days = (typeof DAYS)[number]['value'];

/** @param text of the address */
export function daysOf(text: string | null): Days {
  return DAYS.find(({ value }) => value === text)?.value ?? '7';
}

export function coveragePath(days: Days, cohort: string | undefined): string {
  const query = new URLSearchParams({ days });
  if (cohort !== undefined) query.set('cohort', cohort);
  return `/api/v1/coverage?${query.toString()}`;
}

function skippedReads({ skipped }: CoverageRow): number {
  return Object.values(skipped).reduce((sum, count) => sum + count, 0);
}

/** `1,200: shed 1,000, sampled 200`. */
export function skippedInWords(skipped: CoverageRow['skipped']): string {
  const reasons = Object.entries(skipped).filter(([, count]) => count > 0);
  if (reasons.length === 0) return '0';
  const each = reasons
    .sort(([, a], [, b]) => b - a)
    .map(([why, count]) => `${why.replaceAll('_', ' ')} ${formatCount(count)}`);
  return each.join(', ');
}

/** By name, or what is worst, or most, first. */
export function sortedRows(rows: readonly CoverageRow[], sort: string): readonly CoverageRow[] {
  const byName = (a: CoverageRow, b: CoverageRow): number =>
    a.route.localeCompare(b.route) || a.cohort.localeCompare(b.cohort);
  const by = (measure: (row: CoverageRow) => number) =>
    rows.toSorted((a, b) => measure(b) - measure(a) || byName(a, b));
  switch (sort) {
    case 'compared':
      return by(({ compared }) => compared);
    case 'matched':
      return by(({ matched }) => (matched.total === 0 ? -1 : 1 - matched.share));
    case 'confirmed':
      return by(({ confirmed }) => confirmed);
    case 'skipped':
      return by(skippedReads);
    default:
      return rows.toSorted(byName);
  }
}
