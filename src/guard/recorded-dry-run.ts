/** A dry run over what was recorded, a piece at a time: two weeks are not kept in memory, and others have their turns. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Condition } from './condition.ts';
import { DRY_TRIPS_MAX, DryRunner } from './dry-run.ts';
import type { DryRun, DryRunRequest } from './guard-control.ts';
import { PERIOD_SECONDS, RECORDED_SLOT_SECONDS, type RecordedSlots } from './recorded-slots.ts';
import type { Slot } from './slot.ts';
import { unpackSlots } from './slot-pack.ts';

/** Rows that are read at a time. */
const PAGE = 24;
/** Slots that are judged in one turn of the event loop. */
const SLOTS_A_TURN = 10;

/** @param cooldownMs so long a condition is quiet after it tripped */
export async function recordedDryRun(
  { cohort, from, to }: DryRunRequest,
  conditions: readonly Condition[],
  store: Pick<RecordedSlots, 'readSlots'>,
  cooldownMs: number,
): Promise<DryRun> {
  const runner = new DryRunner(conditions, { slotSeconds: RECORDED_SLOT_SECONDS, cooldownMs });
  let slots = 0;
  let [first, last]: [number | undefined, number | undefined] = [undefined, undefined];
  for await (const slot of slotsOf(cohort, from.getTime() / 1_000, to.getTime() / 1_000, store)) {
    runner.add(slot);
    first ??= slot.second;
    last = slot.second;
    slots += 1;
    if (slots % SLOTS_A_TURN === 0) await turn();
    if (runner.trips.length >= DRY_TRIPS_MAX) break;
  }
  const at = (second: number | undefined): Date | undefined =>
    second === undefined ? undefined : new Date(second * 1_000);
  return {
    cohort,
    conditions,
    slots: slots * RECORDED_SLOT_SECONDS,
    from: at(first),
    to: at(last === undefined ? undefined : last + RECORDED_SLOT_SECONDS),
    trips: runner.trips.map(({ atSecond, ...trip }) => ({ at: new Date(atSecond * 1_000), ...trip })),
  };
}

/** Those that begin from `from` on and before `to`, seconds; the oldest first. */
async function* slotsOf(
  cohort: string,
  from: number,
  to: number,
  store: Pick<RecordedSlots, 'readSlots'>,
): AsyncGenerator<Slot> {
  let next = from - PERIOD_SECONDS + 1;
  for (;;) {
    const page = await store.readSlots(cohort, next, to, PAGE);
    for (const period of page) {
      next = period.from + 1;
      for (const slot of await unpackSlots(period.from, period.packed)) {
        if (slot.second >= from && slot.second < to) yield slot;
      }
    }
    if (page.length < PAGE) return;
  }
}
