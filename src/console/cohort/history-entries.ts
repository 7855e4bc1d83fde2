/** What happened to a cohort, changes and trips together, as a list and as marks on a time axis. Pure. */
import type { ChangeDocument } from '../../admin/control-documents.ts';
import type { TripDocument } from '../../admin/guard-documents.ts';
import { changeInWords } from '../../wording/change-in-words.ts';
import { printable } from '../../wording/printable.ts';

export type HistoryTone = 'good' | 'warn' | 'bad' | 'calm';

export interface HistoryEntry {
  readonly key: string;
  /** The oldest that is listed is 1. Marks have the same: words would lie over each other. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: 'change' | 'trip';
  readonly title: string;
  readonly tone: HistoryTone;
  /** How it ended: `done`, `undone`, `rolled back`. */
  readonly state: string;
  readonly actor: string;
  readonly reason: string;
  /** Further sentences: figures of a trip, for whom a change waits. */
  readonly details: readonly string[];
  /** Of the change itself, or the one that a trip began. */
  readonly change: string | null;
}

type Unnumbered = Omit<HistoryEntry, 'number'>;

/** The newest of a list; `next` is `null` when there are no older ones. */
export interface Newest<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface History {
  readonly changes: readonly ChangeDocument[];
  readonly trips: readonly TripDocument[];
  /** There is older than this. */
  readonly isCut: boolean;
}

/** Where one list ends before its time the other ends as well: else what is missing would look as if nothing had happened. */
export function cutAlike(changes: Newest<ChangeDocument>, trips: Newest<TripDocument>): History {
  const from = [
    changes.next === null ? '' : (changes.items.at(-1)?.createdAt ?? ''),
    trips.next === null ? '' : (trips.items.at(-1)?.trippedAt ?? ''),
  ].reduce((one, other) => (one > other ? one : other));
  return {
    changes: changes.items.filter(({ createdAt }) => createdAt >= from),
    trips: trips.items.filter(({ trippedAt }) => trippedAt >= from),
    isCut: from !== '',
  };
}

/** The batches of one job are one entry, where its latest one is. @returns newest first */
export function historyEntries(
  changes: readonly ChangeDocument[],
  trips: readonly TripDocument[],
): HistoryEntry[] {
  const entries = [...jobsOf(changes).map(jobEntry), ...trips.map(tripEntry)];
  return entries
    .toSorted((a, b) => b.at - a.at)
    .map((entry, index) => ({ ...entry, number: entries.length - index }));
}

/** Batches that ended alike, by their job; what belongs to none is by itself. */
function jobsOf(changes: readonly ChangeDocument[]): readonly (readonly ChangeDocument[])[] {
  const jobs = new Map<string, ChangeDocument[]>();
  for (const change of changes) {
    const key = change.job === null ? change.id : `${change.job} ${change.phase}`;
    const known = jobs.get(key);
    if (known === undefined) jobs.set(key, [change]);
    else known.push(change);
  }
  return [...jobs.values()];
}

function jobEntry(batches: readonly ChangeDocument[]): Unnumbered {
  const [newest] = batches.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (newest === undefined) throw new Error('a job without batches');
  if (batches.length === 1) return changeEntry(newest);
  const sum = (of: 'users' | 'dirty'): number => batches.reduce((total, change) => total + change[of], 0);
  const entry = changeEntry({ ...newest, users: sum('users'), dirty: sum('dirty') });
  return { ...entry, title: `${entry.title}, in ${batches.length} batches` };
}

function changeEntry(change: ChangeDocument): Unnumbered {
  const { id, phase, createdAt, actor, reason, note, kind } = change;
  const tone =
    phase === 'undone' ? 'warn' : phase !== 'done' ? 'calm' : kind === 'rollback' ? 'warn' : 'good';
  return {
    key: `change-${id}`,
    at: Date.parse(createdAt),
    kind: 'change',
    title: changeInWords(change),
    tone,
    state: phase,
    actor: printable(actor),
    reason: printable(reason),
    details: note === null ? [] : [printable(note)],
    change: id,
  };
}

const ACTIONS: Readonly<Record<TripDocument['action'], string>> = {
  rollback: 'takes the cohort back',
  hold: 'stops the ramp',
  warn: 'warns',
};

function tripEntry(trip: TripDocument): Unnumbered {
  const { id, condition, action, trippedAt, sentences, change, clearedAt, clearedBy } = trip;
  const state = clearedAt === null ? (action === 'rollback' ? 'not cleared' : 'told') : 'cleared';
  return {
    key: `trip-${id}`,
    at: Date.parse(trippedAt),
    kind: 'trip',
    title: `guard ${ACTIONS[action]}: ${printable(condition.name)}`,
    tone: action === 'rollback' ? 'bad' : 'warn',
    state: clearedBy === null ? state : `${state} by ${printable(clearedBy)}`,
    actor: 'guard',
    reason: '',
    details: sentences.map(printable),
    change,
  };
}

export interface HistoryMark {
  /** Seconds since 1970, as the charts count. */
  readonly at: number;
  readonly number: number;
  readonly label: string;
  readonly tone: HistoryTone;
}

/** Oldest first. The change that a trip began is marked by the trip alone: both are at the same place. */
export function historyMarks(entries: readonly HistoryEntry[]): HistoryMark[] {
  const begun = new Set(
    entries.flatMap(({ kind, change }) => (kind === 'trip' && change !== null ? [change] : [])),
  );
  return entries
    .filter(({ kind, change }) => kind === 'trip' || change === null || !begun.has(change))
    .map(({ at, number, title, tone }) => ({ at: at / 1_000, number, label: title, tone }))
    .toReversed();
}
