/** What is said of a group, in words. Pure. */
import type {
  GroupDocument,
  GroupInFullDocument,
  VerificationDocument,
} from '../../admin/report-documents.ts';
import { counted, formatCount, formatShare } from '../format.ts';

/** Of a badge. */
type Tone = 'good' | 'warn' | 'bad' | 'calm';

const STATUS_TONES: Readonly<Record<string, Tone>> = {
  open: 'bad',
  acknowledged: 'warn',
  ignored: 'calm',
  resolved: 'good',
};

export function statusTone(status: string): Tone {
  return Object.hasOwn(STATUS_TONES, status) ? (STATUS_TONES[status] ?? 'calm') : 'calm';
}

const JUDGEMENTS_MEAN: Readonly<Record<string, string>> = {
  reported: 'It differs more than noise explains.',
  unproven: 'It looks like a difference; too few reads say so.',
  unconfirmed: 'None of it was there again when both sides were read once more.',
  noise: 'The backend that serves differs from itself as much, or it is too rare to tell.',
};

export function judgementMeans(kind: string): string | undefined {
  return Object.hasOwn(JUDGEMENTS_MEAN, kind) ? JUDGEMENTS_MEAN[kind] : undefined;
}

/** `412 of 10,000 reads`. */
export function readsInWords({ count, total }: GroupDocument['share']): string {
  return total === 0 ? 'no reads' : `${formatCount(count)} of ${formatCount(total)} reads`;
}

/** `about 12 ± 1 users`. */
export function usersInWords({ estimate, error }: GroupDocument['users']): string {
  return error === 0
    ? `about ${counted(estimate, 'user')}`
    : `about ${formatCount(estimate)} ± ${formatCount(error)} users`;
}

/** What the reads say since somebody asked whether it is fixed. */
export function watchInWords({
  reads,
  seen,
  verdict,
  upper,
  needed,
}: NonNullable<GroupInFullDocument['watch']>): string {
  if (verdict === 'still_there')
    return `Still there: in ${formatCount(seen)} of ${counted(reads, 'read')} since then.`;
  const bound = upper === null ? '' : `, so it is in less than ${formatShare(upper)} of reads`;
  if (verdict === 'fixed') return `Fixed: not in any of ${counted(reads, 'read')}${bound} (95 % confidence).`;
  const wanted = needed === null || needed > 1e12 ? '' : ` ${formatCount(needed)} would tell.`;
  return `Waiting: not in any of ${counted(reads, 'read')} so far.${wanted}`;
}

const WHY_UNKNOWN: Readonly<Record<string, string>> = {
  method: 'it is no GET or HEAD',
  credential_in_query: 'a credential in its query was not stored',
  request_changed: 'a part of its path or query was not stored',
  other_answer: 'the backend that served does not show what it showed then; credentials are not stored',
  not_comparable: 'nothing can be said of the two answers',
  skipped: 'a backend did not take it',
  no_replay: 'there was no time left to ask',
};

/** Of a sample that was asked for again. */
export function sampleVerdict({ verdict, why }: VerificationDocument['samples'][number]): string {
  if (why === null) return verdict.replaceAll('_', ' ');
  const reason = Object.hasOwn(WHY_UNKNOWN, why) ? (WHY_UNKNOWN[why] ?? why) : why;
  return `${verdict.replaceAll('_', ' ')}: ${reason}`;
}

export function verdictTone(verdict: string): Tone {
  if (verdict === 'fixed' || verdict === 'gone') return 'good';
  return verdict === 'still_there' ? 'bad' : 'warn';
}

/** What a rule on trial does to a group. */
export function trialTone(verdict: string): Tone {
  if (verdict === 'gone') return 'good';
  return verdict === 'partly' ? 'warn' : 'calm';
}

/** The names of both sides of a sample. @param authoritative the backend that served the user */
export function sidesOf(authoritative: string): readonly [served: string, other: string] {
  return authoritative === 'legacy' ? ['legacy', 'new'] : ['new', 'legacy'];
}

/** Why the request of a sample cannot be sent again as it was. */
export function changedInWords(changed: string): string {
  switch (changed) {
    case 'target':
      return 'a part of its path or query was not stored';
    case 'headers':
      return 'some of its headers, such as credentials, were not stored';
    case 'body':
      return 'its body was not stored';
    default:
      return changed;
  }
}
