/** What the guard tells the metrics. */
import type { GuardAction, Judgement } from './condition.ts';
import type { RampRow } from './guard-store.ts';
import type { NoticeCounts } from './notice-sender.ts';

/** Trips that this process has noted, by cohort, condition and action. */
export interface TripCount {
  readonly cohort: string;
  readonly condition: string;
  readonly action: GuardAction;
  readonly count: number;
}

/** As of the last tick. */
export interface GuardFigures {
  readonly trips: readonly TripCount[];
  readonly judged: ReadonlyMap<string, readonly Judgement[]>;
  /** Cohorts that go nowhere until a person clears them. */
  readonly held: readonly string[];
  readonly ramps: readonly RampRow[];
  readonly notices: Readonly<NoticeCounts>;
  /** Ticks in which the counts of the gateways could not be read. */
  readonly blindTicks: number;
}

export interface GuardView {
  figures(): GuardFigures;
}
