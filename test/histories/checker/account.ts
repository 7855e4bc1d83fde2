/**
 * Judges one way of a user while it is followed: the same as `check-writes`, `check-reads` and `check-stranded` say of a whole
 * one, event by event, and in numbers only. Two ways whose accounts are alike from some moment on will never differ again.
 */
import { type Begun, firstEra, mayHaveWritten, wasUnderWay } from './eras.ts';
import type { Applied, Backend, Change, ReadSent } from './history.ts';
import { END, type Moments } from './moments.ts';

export interface Account {
  readonly last: Begun;
  /** Nothing that is still to be judged can be of an era before this place. */
  readonly firstLive: number;
  /** The place of the era of the last write. */
  readonly writtenIn: number;
  /** A write of that era, one of `new`, was acknowledged. */
  readonly isDirty: boolean;
  /** Of the last write, and of the last one of an earlier era; -1 before the first. */
  readonly lastSeq: number;
  readonly earlierSeq: number;
  /** The latest era of which the reads to come know a write that was acknowledged; -1 before the first. */
  readonly knownIn: number;
  /** Writes whose acknowledgement not all reads to come know. */
  readonly acknowledged: readonly Acknowledged[];
  /** What is violated. */
  readonly wrong: number;
  /** Reads that `legacy` answered for a user of `new`. It may, and seldom does: of two ways the one with fewer is likelier. */
  readonly unlikely: number;
}

interface Acknowledged {
  readonly atMs: number;
  readonly place: number;
}

/** What is still to be judged comes no earlier than this. */
export interface Horizon {
  /** The beginning of a read. */
  readonly readMs: number;
  /** The end of a write. */
  readonly writtenMs: number;
  /** The beginning of a write. */
  readonly writingMs: number;
  /** The beginning of a write, in the order of the backends. */
  readonly writeSeq: number;
}

export function opened(owner: Backend | undefined): Account {
  return {
    last: { place: 0, owner, change: undefined, before: undefined },
    firstLive: 0,
    writtenIn: 0,
    isDirty: false,
    lastSeq: -1,
    earlierSeq: -1,
    knownIn: -1,
    acknowledged: [],
    wrong: 0,
    unlikely: 0,
  };
}

/** With one more era. */
export function afterChange(
  account: Account,
  owner: Backend | undefined,
  change: Change,
  strandingForbidden: boolean,
): Account {
  const { last, writtenIn, isDirty, wrong } = account;
  const next: Begun = { place: last.place + 1, owner, change, before: last };
  const left = strandingForbidden && isDirty ? leftBy(next) : undefined;
  return { ...account, last: next, wrong: wrong + (left?.place === writtenIn ? 1 : 0) };
}

/** The era whose writes are left behind in `new` when this one, of `legacy`, begins without force. */
function leftBy({ owner, change, before }: Begun): Begun | undefined {
  const nowhere = before !== undefined && before.owner === undefined;
  const left = nowhere ? before.before : before;
  if (owner !== 'legacy' || left?.owner !== 'new') return undefined;
  const forced = change?.force === true || (nowhere && before.change?.force === true);
  return forced ? undefined : left;
}

/**
 * @param acknowledgedMs when its client was told; `undefined` when it was not
 */
export function afterWrite(
  account: Account,
  write: Applied,
  acknowledgedMs: number | undefined,
  strandingForbidden: boolean,
): Account {
  const { last, firstLive, writtenIn, lastSeq, acknowledged, wrong } = account;
  const era = firstEra(last, Math.max(writtenIn, firstLive), (each, endedMs) =>
    mayHaveWritten(each, endedMs, write),
  );
  if (era === undefined) return { ...account, wrong: wrong + 1 };
  const { place, owner } = era;
  const isFirst = place > writtenIn;
  const wasDirty = !isFirst && account.isDirty;
  const earlierSeq = isFirst ? lastSeq : account.earlierSeq;
  const isDirty = wasDirty || (owner === 'new' && acknowledgedMs !== undefined);
  const strands = isDirty && !wasDirty && strandingForbidden && isLeft(last, place);
  return {
    ...account,
    writtenIn: place,
    isDirty,
    lastSeq: write.appliedSeq,
    earlierSeq,
    acknowledged:
      acknowledgedMs === undefined ? acknowledged : [...acknowledged, { atMs: acknowledgedMs, place }],
    wrong: wrong + (write.beganSeq <= earlierSeq ? 1 : 0) + (strands ? 1 : 0),
  };
}

/** Whether an era up to `last` leaves behind what was written in the one at this place. */
function isLeft(last: Begun, place: number): boolean {
  for (let era: Begun | undefined = last; era !== undefined && era.place > place; era = era.before) {
    if (leftBy(era)?.place === place) return true;
  }
  return false;
}

export function afterRead(account: Account, read: ReadSent): Account {
  const known = knowing(account, read.beganMs);
  const { last, firstLive, knownIn, wrong, unlikely } = known;
  const from = Math.max(firstLive, knownIn);
  const byOwner = firstEra(
    last,
    from,
    (each, endedMs) => each.owner === read.backend && wasUnderWay(each, endedMs, read),
  );
  if (byOwner !== undefined) return known;
  const instead =
    read.backend === 'legacy' &&
    firstEra(
      last,
      Math.max(from, knownIn + 1),
      (each, endedMs) => each.owner === 'new' && wasUnderWay(each, endedMs, read),
    ) !== undefined;
  return instead ? { ...known, unlikely: unlikely + 1 } : { ...known, wrong: wrong + 1 };
}

/** A read that begins then, or later, knows of what was acknowledged before. */
function knowing(account: Account, beganMs: number): Account {
  if (account.acknowledged.every(({ atMs }) => atMs >= beganMs)) return account;
  let { knownIn } = account;
  const acknowledged: Acknowledged[] = [];
  for (const each of account.acknowledged) {
    if (each.atMs < beganMs) knownIn = Math.max(knownIn, each.place);
    else acknowledged.push(each);
  }
  return { ...account, knownIn, acknowledged };
}

/** Without what nothing beyond the horizon can tell. */
export function forgetting(account: Account, { readMs, writtenMs }: Horizon): Account {
  const known = knowing(account, readMs);
  const { last, knownIn } = known;
  const from = Math.max(known.firstLive, knownIn);
  const live = firstEra(last, from, (_, endedMs) => endedMs >= Math.min(readMs, writtenMs));
  return { ...known, firstLive: live?.place ?? last.place };
}

/** Equal for ways that nothing beyond the horizon can tell apart, once they have forgotten. */
export function likenessOf(
  account: Account,
  { readMs, writingMs, writeSeq }: Horizon,
  moments: Moments,
): string {
  const { last, firstLive, writtenIn, isDirty, knownIn, lastSeq, earlierSeq, acknowledged } = account;
  const owned = last.owner === undefined ? last.before : last;
  const places: number[] = [];
  let text = '';
  let end = END;
  let next: Begun | undefined;
  let afterNext: Begun | undefined;
  for (let era: Begun | undefined = last; era !== undefined && era.place >= firstLive; era = era.before) {
    const start = moments.of(era.change);
    // Whatever may have been done in it is noted; so nothing was done in the others.
    if (era === last || start.atMs > end.overMs || end.begun > start.over) {
      const since = start.atMs <= Math.min(readMs, writingMs) ? '' : start.since;
      const isLeft = [next, afterNext].some((each) => each !== undefined && leftBy(each) === era);
      text += ` ${era.owner} ${since} ${end.until} ${isLeft} ${era === owned}`;
      places.push(era.place);
    }
    end = start;
    afterNext = next;
    next = era;
  }
  const from = (place: number): string =>
    `${places.filter((each) => each >= place).length}/${places.filter((each) => each > place).length}`;
  const mayBeLeft = isDirty && (writtenIn >= firstLive || writtenIn === owned?.place);
  const isForced = last.owner === undefined && last.change?.force === true;
  const beyond = (seq: number): number => (seq < writeSeq ? -1 : seq);
  text += ` ${from(writtenIn)} ${from(knownIn)} ${mayBeLeft} ${writtenIn === owned?.place} ${isForced}`;
  text += ` ${beyond(lastSeq)} ${beyond(earlierSeq)}`;
  for (const { atMs, place } of acknowledged) {
    if (place > knownIn && place >= firstLive) text += ` ${atMs} ${from(place)}`;
  }
  return text;
}
