import { isDeepStrictEqual } from 'node:util';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import type { Counts, SideSlot, Slot } from '../../src/guard/slot.ts';
import { SlotFold } from '../../src/guard/slot-fold.ts';
import { packSlots, unpackSlots } from '../../src/guard/slot-pack.ts';
import { anyReport } from './any-report.ts';

/** Counts as plain values, in one order. */
function plain(slots: readonly Slot[]): unknown {
  const counts = ({ latency, ...rest }: Counts): unknown => ({
    ...rest,
    latency: [...latency].sort(([a], [b]) => a - b),
  });
  const parts = <K extends string | number>(map: ReadonlyMap<K, Counts>): unknown =>
    [...map].map(([key, part]) => [key, counts(part)]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  const side = ({ byGroup, byGateway, kinds }: SideSlot): unknown => ({
    byGroup: parts(byGroup),
    byGateway: parts(byGateway),
    kinds: { ...kinds },
  });
  return slots.map((slot) => ({
    second: slot.second,
    mirrorBacklog: slot.mirrorBacklog,
    legacy: side(slot.legacy),
    new: side(slot.new),
  }));
}

function slotsOf(reports: readonly (readonly [Parameters<SlotFold['add']>[0], number])[]): Slot[] {
  const fold = new SlotFold(5);
  let atMs = 1_000_000_000;
  for (const [report, laterMs] of reports) {
    atMs += laterMs;
    fold.add({ ...report, atMs });
  }
  return fold.slots('free');
}

const anySlots = fc
  .array(
    fc.tuple(
      anyReport(['one', 'two', 'three']).map((report) => ({ ...report, atMs: 0 })),
      fc.integer({ min: 0, max: 9_000 }),
    ),
    { maxLength: 12 },
  )
  .map(slotsOf);

void t.test('slots are unpacked as they were packed, the gateway that is left out included', async () => {
  await fc.assert(
    fc.asyncProperty(anySlots, fc.option(fc.nat(), { nil: undefined }), async (slots, mirrorBacklog) => {
      const given = slots.map((slot) => ({ ...slot, mirrorBacklog }));
      const packed = await packSlots(999_999, given);
      return isDeepStrictEqual(plain(await unpackSlots(999_999, packed)), plain(given));
    }),
  );
});

void t.test('what is none, or of another version, is refused', async (t) => {
  await t.rejects(unpackSlots(0, Buffer.from('nothing of that kind')));
  const later = inflateRawSync(await packSlots(0, []));
  later[0] = 2;
  await t.rejects(unpackSlots(0, deflateRawSync(later)), /version 2/u);
  await t.rejects(unpackSlots(0, deflateRawSync(Buffer.from([1, 1, 200, 97]))), TypeError);
});
