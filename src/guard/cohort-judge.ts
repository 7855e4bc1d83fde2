/** Judges the cohorts on what their windows hold, and has the trips made. */
import type { Condition, Judgement } from './condition.ts';
import { EvidenceSince } from './evidence-since.ts';
import type { WatchedCohort } from './guard-store.ts';
import type { RecordWatch } from './record-watch.ts';
import type { Slot } from './slot.ts';
import type { SlotBook } from './slot-book.ts';
import { conditionsFor, type Judged, type TripMaker } from './trip-maker.ts';

/** Pure. @param slots of one cohort, oldest first */
export type Judge = (
  conditions: readonly Condition[],
  slots: readonly Slot[],
  nowSecond: number,
) => readonly Judgement[];

export interface CohortJudgeOptions {
  readonly judge: Judge;
  /** The ones in force. */
  readonly conditions: () => readonly Condition[];
  readonly book: Pick<SlotBook, 'slots'>;
  readonly record: Pick<RecordWatch, 'cohorts' | 'tripsOf'>;
  readonly maker: Pick<TripMaker, 'act'>;
}

export class CohortJudge {
  readonly #options: CohortJudgeOptions;
  readonly #since = new EvidenceSince();
  #judged: ReadonlyMap<string, readonly Judgement[]> = new Map();

  constructor(options: CohortJudgeOptions) {
    this.#options = options;
  }

  /** Of the latest tick, by cohort. */
  get judged(): ReadonlyMap<string, readonly Judgement[]> {
    return this.#judged;
  }

  /** The slots of a cohort that count for it as it is now. */
  slots(cohort: string): readonly Slot[] {
    return this.#since.of(cohort, this.#options.book.slots(cohort));
  }

  /** All of them, by all conditions. To be called each tick. */
  tick(nowSecond: number): void {
    const { record, conditions, maker } = this.#options;
    this.#since.update(record.cohorts, nowSecond);
    const judged = new Map<string, readonly Judgement[]>();
    for (const watched of record.cohorts) {
      const own = this.#judge(conditions(), watched, nowSecond);
      if (own === undefined) continue;
      const { name } = watched.cohort;
      judged.set(name, own.judgements);
      maker.act(own, record.tripsOf(name));
    }
    this.#judged = judged;
  }

  /**
   * Between two ticks. Trips only by what may be looked at at any time: the fast path, held against a threshold that is
   * never below `over`. The bounds of windows and of what legacy has are said for one look, so more looks would make them
   * wrong more often: conditions that trip by those wait for the tick.
   * @param cohorts of which there is bad news; others are no worse than at the tick
   */
  early(cohorts: ReadonlySet<string>, nowSecond: number): void {
    const { record, maker } = this.#options;
    this.#since.update(record.cohorts, nowSecond);
    const conditions = this.#options.conditions().filter(({ over }) => over !== undefined);
    for (const watched of record.cohorts) {
      const { name } = watched.cohort;
      const open = record.tripsOf(name);
      // It is on its way back: the barrier needs the processor more.
      if (!cohorts.has(name) || open.some(({ action }) => action === 'rollback')) continue;
      const own = this.#judge(conditions, watched, nowSecond);
      if (own === undefined) continue;
      const judgements = own.judgements.filter(({ path }) => path === 'overwhelming');
      maker.act({ ...own, judgements }, open);
    }
  }

  #judge(conditions: readonly Condition[], { cohort }: WatchedCohort, nowSecond: number): Judged | undefined {
    const mine = conditionsFor(conditions, cohort);
    if (mine.length === 0) return undefined;
    const slots = this.slots(cohort.name);
    return { cohort, judgements: this.#options.judge(mine, slots, nowSecond), slots, nowSecond };
  }
}
