/**
 * Slots of five minutes of one cohort as bytes. Of each slot its counts by gateway; by user group of all groups but one,
 * whose counts are what is left of the sum of the gateways: both divisions have the same requests. Deflated, because most
 * slots look like the one before.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { ByteReader, ByteWriter } from './bytes.ts';
import { readCounts, readGroups, readKinds, writeCounts, writeGroups, writeKinds } from './counts-codec.ts';
import { type Counts, NO_COUNTS, type SideSlot, type Slot, USER_GROUPS } from './slot.ts';
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
  writeKinds(to, kinds);
  to.number(byGateway.size);
  for (const [gateway, counts] of byGateway) {
    to.number(gateways.indexOf(gateway));
    writeCounts(to, counts);
  }
  const groups = new ByteWriter();
  const [last] = [...byGroup.keys()].sort((one, other) => other - one);
  if (last !== undefined) {
    groups.number(last);
    writeGroups(groups, new Map([...byGroup].filter(([group]) => group !== last)));
  }
  to.bytes(groups.done());
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
  const kinds = readKinds(from);
  const byGateway = new Map<string, Counts>();
  for (let left = from.number(gateways.length); left > 0; left -= 1) {
    const name = gateways[from.number(gateways.length)];
    if (name === undefined) throw new TypeError('slots name a gateway that they do not list');
    byGateway.set(name, readCounts(from));
  }
  return new PackedSide(kinds, byGateway, from.bytes());
}

/** Most slots are judged by their sum alone: groups are read when somebody asks for them. */
class PackedSide implements SideSlot {
  readonly kinds: SideSlot['kinds'];
  readonly byGateway: ReadonlyMap<string, Counts>;
  readonly #groups: Uint8Array;
  #byGroup: ReadonlyMap<number, Counts> | undefined;

  constructor(kinds: SideSlot['kinds'], byGateway: ReadonlyMap<string, Counts>, groups: Uint8Array) {
    this.kinds = kinds;
    this.byGateway = byGateway;
    this.#groups = groups;
  }

  /** @throws TypeError for bytes that are none */
  get byGroup(): ReadonlyMap<number, Counts> {
    this.#byGroup ??= this.#read();
    return this.#byGroup;
  }

  #read(): ReadonlyMap<number, Counts> {
    if (this.#groups.length === 0) return new Map();
    const from = new ByteReader(this.#groups);
    const last = from.number(USER_GROUPS - 1);
    const byGroup = readGroups(from);
    return byGroup.set(last, lessThan(sumOf(this.byGateway.values()), sumOf(byGroup.values())));
  }
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
