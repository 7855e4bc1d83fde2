/** Makes trips of judgements: which action is taken, once, and what it is noted with. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { isTracked } from '../cutover/era.ts';
import type { Cohort } from '../model.ts';
import type { Condition, GuardAction, Judgement } from './condition.ts';
import type { TripCount } from './guard-figures.ts';
import type { GuardStore, TripRow } from './guard-store.ts';
import { firstBadSecond } from './onset.ts';
import type { Slot } from './slot.ts';
import { tripInWords } from './trip-in-words.ts';

export interface TripMakerOptions {
  readonly store: Pick<GuardStore, 'addTrip'>;
  /** Whether people are to be told. */
  readonly tells: () => boolean;
  readonly log: Logger;
  /** This process has noted it. */
  readonly made: (trip: TripRow) => void;
  /** Something has changed in the record. */
  readonly changed: () => void;
}

/** What was judged of one cohort. */
export interface Judged {
  readonly cohort: Cohort;
  readonly judgements: readonly Judgement[];
  /** Oldest first. */
  readonly slots: readonly Slot[];
  readonly nowSecond: number;
}

interface Act {
  readonly action: GuardAction;
  readonly note?: string;
}

/** Conditions that say something while nobody is served by `new`. */
const WITHOUT_USERS: readonly Condition['metric'][] = ['mismatchShare', 'mirrorBacklog'];

/** Whether users of the cohort are served by `new`. */
export function isServed({ stage }: Pick<Cohort, 'stage'>): boolean {
  return stage === 'live' || stage === 'rampdown' || stage === 'complete';
}

/** The conditions that say something of a cohort at its stage. */
export function conditionsFor(conditions: readonly Condition[], cohort: Cohort): readonly Condition[] {
  const { name, stage } = cohort;
  if (stage === 'off') return [];
  const mine = conditions.filter(({ cohorts }) => cohorts === undefined || cohorts.includes(name));
  return isServed(cohort) ? mine : mine.filter(({ metric }) => WITHOUT_USERS.includes(metric));
}

/** What is done, in place of a rollback that nobody can make. */
export function actionFor(wanted: GuardAction, cohort: Cohort): Act {
  const { name, stage } = cohort;
  if (wanted !== 'rollback') return { action: wanted };
  if (!isServed(cohort))
    return { action: 'hold', note: `cohort ${name} is in ${stage}: nobody has to go back` };
  if (isTracked(cohort)) return { action: 'rollback' };
  const why =
    'has been complete: who wrote since is not known, only force can go back, and a person has to decide';
  return { action: 'hold', note: `cohort ${name} ${why}` };
}

export class TripMaker {
  readonly #options: TripMakerOptions;
  /** Those that are being noted. */
  readonly #noting = new Map<string, Promise<void>>();
  readonly #counts = new Map<string, TripCount>();

  constructor(options: TripMakerOptions) {
    this.#options = options;
  }

  /** Trips that this process has noted. */
  get counts(): readonly TripCount[] {
    return [...this.#counts.values()];
  }

  /** At most one rollback, and each warning and hold. @param open what is open in the cohort */
  act(judged: Judged, open: readonly TripRow[]): void {
    let goesBack = open.some(({ action }) => action === 'rollback');
    for (const judgement of judged.judgements) {
      if (judgement.verdict !== 'tripped') continue;
      const { name } = judgement.condition;
      const act = actionFor(judgement.condition.action, judged.cohort);
      if (act.action === 'rollback') {
        if (!goesBack) this.#begin(judged.cohort.name, judged, judgement, act);
        goesBack = true;
      } else if (!open.some(({ action, condition }) => action !== 'rollback' && condition.name === name)) {
        this.#begin(`${judged.cohort.name}\n${name}`, judged, judgement, act);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#noting.values());
  }

  #begin(key: string, judged: Judged, judgement: Judgement, act: Act): void {
    if (this.#noting.has(key)) return;
    const noting = this.#note(judged, judgement, act)
      .catch((err: unknown) => {
        const { cohort } = judged;
        const fields = {
          event: 'guard_delayed',
          cohort: cohort.name,
          condition: judgement.condition.name,
          err,
        };
        this.#options.log.error(
          fields,
          'a trip could not be noted; it is tried again while its evidence lasts',
        );
      })
      .finally(() => this.#noting.delete(key));
    this.#noting.set(key, noting);
  }

  async #note(
    { cohort, slots, nowSecond }: Judged,
    judgement: Judgement,
    { action, note }: Act,
  ): Promise<void> {
    const { store, tells, log, made, changed } = this.#options;
    const { name, stage } = cohort;
    const { condition, path = 'windows', figures } = judgement;
    const second = firstBadSecond(condition, slots, nowSecond);
    // Where in its second it was is not known.
    const firstBadMs = second === undefined ? undefined : Math.max(0, nowSecond - second) * 1_000 + 500;
    const wish = {
      id: randomUUID(),
      cohort: name,
      condition,
      action,
      path,
      figures,
      stage,
      firstBadMs,
      note,
    };
    const trip = await store.addTrip(wish, tells());
    // Whoever was faster acts; this one learns of it.
    changed();
    if (trip === undefined) return;
    made(trip);
    const key = `${name}\n${condition.name}\n${action}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { cohort: name, condition: condition.name, action, count });
    const fields = {
      event: 'guard_tripped',
      trip: trip.id,
      cohort: name,
      condition: condition.name,
      action,
      note,
    };
    log.warn(fields, tripInWords(condition, path, figures));
  }
}
