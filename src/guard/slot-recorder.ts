/**
 * Remembers what the gateways counted: sums of five seconds, written when a period of five minutes is over. Every process
 * that judges does; of two rows of one period the one with more counts stays. While the record does not answer, an hour is
 * kept here and tried again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  PERIOD_SECONDS,
  RECORDED_MS,
  RECORDED_SLOT_SECONDS,
  type RecordedPeriod,
  type RecordedSlots,
} from './recorded-slots.ts';
import type { Counts, Slot } from './slot.ts';
import type { StampedReport } from './slot-feed.ts';
import { SlotFold } from './slot-fold.ts';
import { packSlots } from './slot-pack.ts';

/** After the end of a period, for what is still being read. */
const GRACE_SECONDS = 5;
const RETRY_SECONDS = 30;
const KEPT_SECONDS = 3_600;
const PRUNE_SECONDS = 3_600;
/** What a process that stops waits for the record, milliseconds. */
const CLOSE_MS = 2_000;

export interface SlotRecorderOptions {
  readonly store: Pick<RecordedSlots, 'saveSlots' | 'pruneSlots'>;
  readonly log: Logger;
}

export class SlotRecorder {
  readonly #options: SlotRecorderOptions;
  readonly #fold = new SlotFold(RECORDED_SLOT_SECONDS);
  #nowSecond = 0;
  /** The end of the latest period that was saved, or is not worth it. */
  #savedTo: number | undefined;
  #saving: Promise<void> | undefined;
  #triedSecond = Number.NEGATIVE_INFINITY;
  #prunedSecond = Number.NEGATIVE_INFINITY;

  constructor(options: SlotRecorderOptions) {
    this.#options = options;
  }

  /** Takes in what came since the last call. To be called each tick. @param nowSecond of the clock that stamps reports */
  add(reports: readonly StampedReport[], nowSecond: number | undefined): void {
    for (const report of reports) this.#fold.add(report);
    if (nowSecond === undefined) return;
    this.#nowSecond = nowSecond;
    this.#fold.drop(nowSecond - KEPT_SECONDS);
    const overTo = beginOf(nowSecond - GRACE_SECONDS);
    if (this.#saving !== undefined || overTo <= (this.#savedTo ?? 0)) return;
    if (nowSecond - this.#triedSecond < RETRY_SECONDS) return;
    this.#triedSecond = nowSecond;
    this.#saving = this.#save(overTo).finally(() => {
      this.#saving = undefined;
    });
  }

  async #save(to: number): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const cohort of this.#fold.cohorts) {
        for (const period of periodsOf(cohort, this.#fold.slots(cohort, to))) {
          await store.saveSlots([await period()]);
        }
      }
      this.#fold.drop(to);
      this.#savedTo = to;
      this.#triedSecond = Number.NEGATIVE_INFINITY;
      await this.#prune();
    } catch (err) {
      log.warn(
        { event: 'slots_delayed', err },
        'what gateways counted cannot be recorded; it is tried again',
      );
    }
  }

  async #prune(): Promise<void> {
    if (this.#nowSecond - this.#prunedSecond < PRUNE_SECONDS) return;
    await this.#options.store.pruneSlots(this.#nowSecond - RECORDED_MS / 1_000);
    this.#prunedSecond = this.#nowSecond;
  }

  /** Saves what there is, of the period under way too, if the record takes it within two seconds. */
  async close(): Promise<void> {
    const closing = new AbortController();
    const last = async (): Promise<void> => {
      await this.#saving;
      await this.#save(Number.POSITIVE_INFINITY);
    };
    await Promise.race([
      last(),
      delay(CLOSE_MS, undefined, { signal: closing.signal }).catch(() => undefined),
    ]);
    closing.abort();
  }
}

function beginOf(second: number): number {
  return Math.floor(second / PERIOD_SECONDS) * PERIOD_SECONDS;
}

/** Those in which something was sent to `new`, or compared with it: nothing can be judged of the others. */
function periodsOf(cohort: string, slots: readonly Slot[]): (() => Promise<RecordedPeriod>)[] {
  const byPeriod = Map.groupBy(slots, ({ second }) => beginOf(second));
  return [...byPeriod]
    .filter(([, ofPeriod]) => ofPeriod.some((slot) => slot.new.byGroup.size > 0))
    .map(([from, ofPeriod]) => async () => ({
      cohort,
      from,
      weight: ofPeriod.reduce((sum, slot) => sum + weightOf(slot), 0),
      packed: await packSlots(from, ofPeriod),
    }));
}

function weightOf(slot: Slot): number {
  const weigh = ({ requests, stalled, compared }: Counts): number => requests + stalled + compared;
  const parts = [...slot.legacy.byGroup.values(), ...slot.new.byGroup.values()];
  return parts.reduce((sum, part) => sum + weigh(part), 0);
}
