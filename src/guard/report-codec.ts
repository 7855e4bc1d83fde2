/** A gateway's report as bytes. About 30 bytes for each user group of a cohort that sends 50 requests in a tick. */
import { ByteReader, ByteWriter } from './bytes.ts';
import { readGroups, readKinds, writeGroups, writeKinds } from './counts-codec.ts';
import type { GatewayReport, SideReport } from './slot-feed.ts';

/** What another version writes is not read. */
const VERSION = 1;
const LEGACY = 1;
const NEW = 2;

export function encodeReport({ gateway, cohorts }: GatewayReport): Uint8Array {
  const to = new ByteWriter().number(VERSION).text(gateway).number(cohorts.size);
  for (const [cohort, sides] of cohorts) {
    to.text(cohort).number((sides.legacy === undefined ? 0 : LEGACY) | (sides.new === undefined ? 0 : NEW));
    for (const side of [sides.legacy, sides.new]) {
      if (side === undefined) continue;
      writeGroups(to, side.byGroup);
      writeKinds(to, side.kinds);
    }
  }
  return to.done();
}

/** @throws TypeError for what is none, or of another version */
export function decodeReport(bytes: Uint8Array): GatewayReport {
  const from = new ByteReader(bytes);
  const version = from.number();
  if (version !== VERSION)
    throw new TypeError(`a report of version ${version}, which this one does not know`);
  const gateway = from.text();
  const cohorts = new Map<string, { legacy?: SideReport; new?: SideReport }>();
  for (let left = from.number(bytes.length); left > 0; left -= 1) {
    const cohort = from.text();
    const sides = from.number(LEGACY | NEW);
    cohorts.set(cohort, {
      ...((sides & LEGACY) === 0 ? {} : { legacy: readSide(from) }),
      ...((sides & NEW) === 0 ? {} : { new: readSide(from) }),
    });
  }
  if (!from.isAtEnd) throw new TypeError('a report has more bytes than it says');
  return { gateway, cohorts };
}

function readSide(from: ByteReader): SideReport {
  const byGroup = readGroups(from);
  return { byGroup, kinds: readKinds(from) };
}
