/** Counts and kinds as bytes, for the way to those who judge and for the record. */
import type { ByteReader, ByteWriter } from './bytes.ts';
import { BINS_MAX, type Counts, FAILURE_KINDS, type FailureKind, USER_GROUPS } from './slot.ts';

const FIELDS = ['failed', 'stalled', 'late', 'compared', 'mismatched'] as const;

/** A bit for each field that is not 0, the fields, the bins as gaps and counts. `requests` is the sum of the bins. */
export function writeCounts(to: ByteWriter, counts: Counts): void {
  let present = 0;
  for (const [index, field] of FIELDS.entries()) if (counts[field] > 0) present |= 1 << index;
  to.number(present);
  for (const field of FIELDS) if (counts[field] > 0) to.number(counts[field]);
  const bins = [...counts.latency].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  to.number(bins.length);
  let last = -1;
  for (const [bin, count] of bins) {
    // Both are at least 1.
    to.number(bin - last - 1).number(count - 1);
    last = bin;
  }
}

export function readCounts(from: ByteReader): Counts {
  const present = from.number((1 << FIELDS.length) - 1);
  const field = (index: number): number => ((present & (1 << index)) === 0 ? 0 : from.number());
  const [failed, stalled, late, compared, mismatched] = [field(0), field(1), field(2), field(3), field(4)];
  const latency = new Map<number, number>();
  let requests = 0;
  let bin = -1;
  for (let left = from.number(BINS_MAX); left > 0; left -= 1) {
    bin += from.number(BINS_MAX) + 1;
    if (bin >= BINS_MAX) throw new TypeError(`there is no bin ${bin}`);
    const count = from.number() + 1;
    latency.set(bin, count);
    requests += count;
  }
  return { requests, failed, stalled, late, compared, mismatched, latency };
}

export function writeGroups(to: ByteWriter, byGroup: ReadonlyMap<number, Counts>): void {
  let present = 0;
  for (const group of byGroup.keys()) present |= 1 << group;
  to.number(present);
  for (let group = 0; group < USER_GROUPS; group += 1) {
    const counts = byGroup.get(group);
    if (counts !== undefined) writeCounts(to, counts);
  }
}

export function readGroups(from: ByteReader): Map<number, Counts> {
  const present = from.number((1 << USER_GROUPS) - 1);
  const byGroup = new Map<number, Counts>();
  for (let group = 0; group < USER_GROUPS; group += 1) {
    if ((present & (1 << group)) !== 0) byGroup.set(group, readCounts(from));
  }
  return byGroup;
}

type Kinds = Readonly<Partial<Record<FailureKind, number>>>;

export function writeKinds(to: ByteWriter, kinds: Kinds): void {
  let present = 0;
  for (const [index, kind] of FAILURE_KINDS.entries()) if ((kinds[kind] ?? 0) > 0) present |= 1 << index;
  to.number(present);
  for (const kind of FAILURE_KINDS) {
    const count = kinds[kind] ?? 0;
    if (count > 0) to.number(count);
  }
}

export function readKinds(from: ByteReader): Kinds {
  const present = from.number((1 << FAILURE_KINDS.length) - 1);
  const kinds: Partial<Record<FailureKind, number>> = {};
  for (const [index, kind] of FAILURE_KINDS.entries()) {
    if ((present & (1 << index)) !== 0) kinds[kind] = from.number();
  }
  return kinds;
}
