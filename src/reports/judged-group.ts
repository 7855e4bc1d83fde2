/** A group with what its numbers say. */
import type { DifferenceKind } from '../comparison/difference.ts';
import type { GroupRow } from './report-store.ts';
import { type Judgement, judge, type Share, shareOf } from './statistics.ts';
import { estimateUsers, USERS_ERROR } from './user-sketch.ts';

export interface JudgedGroup extends Omit<GroupRow, 'users' | 'signature'> {
  readonly signature: string;
  readonly judgement: Judgement;
  /** Reads with this difference, of those of its route that were compared since its counts began. */
  readonly share: Share;
  readonly noiseShare: Share;
  /** About how many users; `error` is one standard error of it. */
  readonly users: { readonly estimate: number; readonly error: number };
  /** Groups are shown in this order, the highest first: how bad one such difference is, times how often it is for sure. */
  readonly score: number;
}

export function isFailureKind(kind: DifferenceKind): boolean {
  return kind === 'error' || kind === 'timeout';
}

export function judgeGroup(row: GroupRow): JudgedGroup {
  const { users, ...rest } = row;
  // A read that was counted with its group before it was counted with its route: there is no more than all.
  const compared = Math.max(row.compared, row.raw);
  const noiseReads = Math.max(row.noiseReads, row.noise);
  const share = shareOf(row.raw, compared);
  const estimate = estimateUsers(users);
  return {
    ...rest,
    compared,
    noiseReads,
    judgement: judge({ ...row, compared, noiseReads, isFailure: isFailureKind(row.kind) }),
    share,
    noiseShare: shareOf(row.noise, noiseReads),
    users: { estimate, error: Math.ceil(estimate * USERS_ERROR) },
    score: row.weight * share.low,
  };
}

const RANKS: Readonly<Record<Judgement['kind'], number>> = {
  reported: 0,
  unproven: 1,
  unconfirmed: 2,
  noise: 3,
};

/** What matters most first; groups that matter alike in a fixed order. */
export function byImportance(a: JudgedGroup, b: JudgedGroup): number {
  return RANKS[a.judgement.kind] - RANKS[b.judgement.kind] || b.score - a.score || (a.id < b.id ? -1 : 1);
}
