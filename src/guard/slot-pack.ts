/**
 * Slots of five minutes of one cohort as bytes. Of each slot its counts by user group; by gateway of all gateways but
 * one, whose counts are what is left of the sum of the groups: both divisions have the same requests. Deflated, because
 * most slots look like the one before.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readCounts, readGroups, readKinds, writeCounts, writeGroups, writeKinds } from './counts-codec.ts';
import { type Counts, NO_COUNTS, type SideSlot, type Slot } from './slot.ts';
import { CountsSum } from './slot-fold.ts';

const VERSION = 1;
const SLOTS_MAX = 3_600;
/** Of a row that says of itself that it is larger, nothing is believed. */
const PLAIN_BYTES_MAX = 64 * 1024 * 1024;

const pack = promisify(deflateRaw);
const unpack = promisify(inflateRaw);

/** @param from not after the first slot @param slots oldest first */
export function packSlots(from: number, slots: readonly Slot[]): Promise<Uint8Array> {
  const gateways = [
    ...new Set(slots.flatMap((slot) => [...slot.legacy.byGateway.keys(), ...slot.new.byGateway.keys()])),
  ];
  const to = new ByteWriter().number(VERSION).number(gateways.length);
  for (const gateway of gateways) to.text(gateway);
  to.number(slots.length);
  for (const slot of slots) {
    to.number(slot.second - from).number(slot.mirrorBacklog === undefined ? 0 : slot.mirrorBacklog + 1);
    writeSide(to, slot.legacy, gateways);
    writeSide(to, slot.new, gateways);
  }
  return pack(to.done(), { level: 9 });
}

function writeSide(
  to: ByteWriter,
  { byGroup, byGateway, kinds }: SideSlot,
  gateways: readonly string[],
): void {
  writeGroups(to, byGroup);
  writeKinds(to, kinds);
  const present = [...byGateway].map(([gateway, counts]) => ({ index: gateways.indexOf(gateway), counts }));
  present.sort((a, b) => a.index - b.index);
  to.number(present.length);
  for (const { index } of present) to.number(index);
  for (const { counts } of present.slice(0, -1)) writeCounts(to, counts);
}

/** @throws TypeError for what is none, or of another version; the inflater's error for what is no such thing at all */
export async function unpackSlots(from: number, packed: Uint8Array): Promise<Slot[]> {
  const reader = new ByteReader(await unpack(packed, { maxOutputLength: PLAIN_BYTES_MAX }));
  const version = reader.number();
  if (version !== VERSION) throw new TypeError(`slots of version ${version}, which this one does not know`);
  const gateways = Array.from({ length: reader.number(SLOTS_MAX) }, () => reader.text());
  return Array.from({ length: reader.number(SLOTS_MAX) }, () => {
    const second = from + reader.number();
    const backlog = reader.number();
    return {
      second,
      legacy: readSide(reader, gateways),
      new: readSide(reader, gateways),
      mirrorBacklog: backlog === 0 ? undefined : backlog - 1,
    };
  });
}

function readSide(from: ByteReader, gateways: readonly string[]): SideSlot {
  const byGroup = readGroups(from);
  const kinds = readKinds(from);
  const names = Array.from({ length: from.number(gateways.length) }, () => {
    const name = gateways[from.number(gateways.length)];
    if (name === undefined) throw new TypeError('slots name a gateway that they do not list');
    return name;
  });
  const byGateway = new Map<string, Counts>();
  const listed = new CountsSum();
  for (const name of names.slice(0, -1)) {
    const counts = readCounts(from);
    listed.add(counts);
    byGateway.set(name, counts);
  }
  const last = names.at(-1);
  if (last !== undefined) byGateway.set(last, lessThan(sumOf(byGroup.values()), listed));
  return { byGroup, byGateway, kinds };
}

function sumOf(parts: Iterable<Counts>): CountsSum {
  const sum = new CountsSum();
  for (const part of parts) sum.add(part);
  return sum;
}

function lessThan(all: Counts, some: Counts): Counts {
  const latency = new Map<number, number>();
  for (const [bin, count] of all.latency) {
    const left = count - (some.latency.get(bin) ?? 0);
    if (left > 0) latency.set(bin, left);
  }
  return {
    ...NO_COUNTS,
    requests: all.requests - some.requests,
    failed: all.failed - some.failed,
    stalled: all.stalled - some.stalled,
    late: all.late - some.late,
    compared: all.compared - some.compared,
    mismatched: all.mismatched - some.mismatched,
    latency,
  };
}
