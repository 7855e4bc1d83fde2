/** Shares and verdicts as people read them. */
import type { Static } from '@sinclair/typebox';
import type { ShareSchema, WatchSchema } from '../admin/report-documents.ts';
import { percent } from '../reports/cohort-report.ts';

type Share = Static<typeof ShareSchema>;
type WatchDocument = Static<typeof WatchSchema>;

export function shareInWords({ count, total, share, low, high }: Share): string {
  if (total === 0) return 'no reads';
  return `${percent(share)} (${percent(low)} to ${percent(high)}): ${count} of ${total}`;
}

export function shortShare({ count, total, share }: Share): string {
  return total === 0 ? '0' : `${count} (${percent(share)})`;
}

export function watchInWords({ reads, seen, verdict, upper, needed }: WatchDocument): string {
  if (verdict === 'still_there') return `still there: in ${seen} of ${reads} reads since it began`;
  const bound = upper === null ? '' : `, so it is in less than ${percent(upper)} of reads`;
  if (verdict === 'fixed') return `fixed: not in any of ${reads} reads${bound} (95 %)`;
  const wanted = needed === null || needed > 1e12 ? '' : `; ${needed} would tell`;
  return `waiting: not in any of ${reads} reads so far${wanted}`;
}
