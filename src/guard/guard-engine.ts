/**
 * The guard of a process that has a `Control`: reads what the gateways count, judges each cohort each tick, and sooner on
 * bad news, and acts. ARCHITECTURE.md, section 'The guard', has the states, and what happens when something dies in between.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Control, UnknownCohortError } from '../cutover/control.ts';
import { badNewsOf } from './bad-news.ts';
import { CohortJudge, type Judge } from './cohort-judge.ts';
import { cohortStatus } from './cohort-status.ts';
import type { Condition } from './condition.ts';
import {
  type CohortGuard,
  type DryRun,
  type DryRunRequest,
  type GuardAuthor,
  type GuardControl,
  GuardRefusedError,
  type Trip,
} from './guard-control.ts';
import type { GuardFigures, GuardView } from './guard-figures.ts';
import { GuardPace } from './guard-pace.ts';
import type { GuardSettings } from './guard-settings.ts';
import type { GuardStore, RampRow } from './guard-store.ts';
import { NoticeSender, type NoticeTiming, type PostJson } from './notice-sender.ts';
import { RampOrders } from './ramp-orders.ts';
import type { RampPlan, RampRun } from './ramp-plan.ts';
import { RampRunner, type RampView } from './ramp-runner.ts';
import { type RecordHints, RecordWatch } from './record-watch.ts';
import { TICK_MS } from './slot.ts';
import type { SlotBook } from './slot-book.ts';
import type { SlotFeed } from './slot-feed.ts';
import { isGoing, TripKeeper } from './trip-keeper.ts';
import { TripMaker } from './trip-maker.ts';

export interface GuardOptions {
  readonly store: GuardStore;
  readonly control: Pick<Control, 'rollback' | 'changeStage'>;
  /** Read by nobody else; closed by whoever opened it, after the guard. */
  readonly feed: Pick<SlotFeed, 'read' | 'onBadNews'>;
  readonly book: SlotBook;
  readonly judge: Judge;
  /** The ones in force. */
  readonly settings: () => GuardSettings;
  readonly dryRun: (request: DryRunRequest, conditions: readonly Condition[]) => Promise<DryRun>;
  readonly post: PostJson;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now?: () => number;
  readonly timing?: GuardTiming;
  /** So that the record need not be asked each tick. */
  readonly hints?: RecordHints;
}

export interface GuardTiming {
  /** Between the end of a tick and the next one. */
  readonly tickMs?: number;
  /** Between the end of a look and the next one while there is bad news. */
  readonly earlyMs?: number;
  /** A trip that another process works on is left to it for so long. */
  readonly takeOverMs?: number;
  readonly notices?: Partial<NoticeTiming>;
}

const TAKE_OVER_MS = 1_500;
const PERIOD_MS_MAX = 14 * 86_400_000;

export class GuardEngine implements GuardControl, GuardView {
  readonly #options: GuardOptions;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  readonly #record: RecordWatch;
  readonly #maker: TripMaker;
  readonly #keeper: TripKeeper;
  readonly #runner: RampRunner;
  readonly #orders: RampOrders;
  readonly #notices: NoticeSender;
  readonly #judge: CohortJudge;
  readonly #listeners = new Set<() => void>();
  readonly #loop: Promise<void>;
  /** The cohorts of which the latest read had bad news. */
  #badNews: ReadonlySet<string> = new Set();
  /** When trips that others work on were first seen at their attempt. */
  #seenTrips = new Map<string, number>();
  #isBlind = false;
  #blindTicks = 0;

  /** Begins to judge at once. */
  constructor(options: GuardOptions) {
    const { store, control, log, settings, post, timing } = options;
    const now = options.now ?? (() => performance.now());
    this.#options = options;
    this.#now = now;
    const tells = (): boolean => settings().hooks.length > 0;
    const changed = (): void => this.#record.changed();
    const cooldownMs = (): number => settings().cooldownMs;
    this.#record = new RecordWatch({ ...options.hints, store, cooldownMs, log, now });
    this.#keeper = new TripKeeper({
      store,
      control,
      tells,
      log,
      sleep: (ms) => this.#sleep(ms),
      isClosed: () => this.#stop.signal.aborted,
      changed,
    });
    this.#maker = new TripMaker({ store, tells, log, changed, made: (trip) => this.#keeper.go(trip) });
    const { book, judge } = options;
    const conditions = () => settings().conditions;
    this.#judge = new CohortJudge({ judge, conditions, book, record: this.#record, maker: this.#maker });
    this.#runner = new RampRunner({ store, control, tells, log, now, changed });
    this.#orders = new RampOrders({ store, tells });
    const hooks = () => settings().hooks;
    this.#notices = new NoticeSender({ store, hooks, post, log, timing: timing?.notices ?? {} });
    this.#loop = this.#run();
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { feed, timing } = this.#options;
    const { tickMs = TICK_MS, earlyMs } = timing ?? {};
    const pace = new GuardPace({
      tickMs,
      ...(earlyMs === undefined ? {} : { earlyMs }),
      sleep: (ms) => this.#sleep(ms),
      isStopped: () => this.#stop.signal.aborted,
    });
    const forget = feed.onBadNews(() => pace.wake());
    await pace.run(
      async () => {
        const isBad = await this.#tried(() => this.#tick());
        for (const listener of this.#listeners) listener();
        return isBad;
      },
      () => this.#tried(() => this.#lookEarly()),
    );
    forget();
  }

  /** @returns whether there was bad news */
  async #tried(look: () => Promise<void>): Promise<boolean> {
    this.#badNews = new Set();
    await look().catch((err: unknown) =>
      this.#options.log.error({ event: 'guard_tick_failed', err }, 'the guard could not judge in this tick'),
    );
    return this.#badNews.size > 0;
  }

  async #tick(): Promise<void> {
    const nowSecond = await this.#look();
    if (nowSecond !== undefined) this.#judge.tick(nowSecond);
    this.#takeOver();
    this.#runner.tick(this.#record.ramps, (run) => this.#rampView(run, nowSecond ?? 0));
    void this.#notices.look();
  }

  async #lookEarly(): Promise<void> {
    const nowSecond = await this.#look();
    if (nowSecond !== undefined) this.#judge.early(this.#badNews, nowSecond);
  }

  /** @returns the second that it is now */
  async #look(): Promise<number | undefined> {
    await Promise.all([this.#read(), this.#record.look()]);
    return this.#options.book.nowSecond();
  }

  /** What the gateways counted. */
  async #read(): Promise<void> {
    const { feed, book, log } = this.#options;
    try {
      const reports = await feed.read();
      book.add(reports);
      this.#badNews = new Set(reports.flatMap(badNewsOf));
      if (this.#isBlind)
        log.warn({ event: 'guard_sees' }, 'the guard can read what the gateways count again');
      this.#isBlind = false;
    } catch (err) {
      book.add([]);
      this.#blindTicks += 1;
      if (!this.#isBlind)
        log.error({ event: 'guard_blind', err }, 'the guard cannot read what the gateways count');
      this.#isBlind = true;
    }
  }

  /** Trips that somebody has left half-way. */
  #takeOver(): void {
    const { takeOverMs = TAKE_OVER_MS } = this.#options.timing ?? {};
    const seen = new Map<string, number>();
    for (const trip of this.#record.trips) {
      if (!isGoing(trip) || this.#keeper.isAtWork(trip.id)) continue;
      const key = `${trip.id} ${trip.attempt}`;
      const sinceMs = this.#seenTrips.get(key) ?? this.#now();
      seen.set(key, sinceMs);
      if (this.#now() - sinceMs >= takeOverMs) this.#keeper.go(trip);
    }
    this.#seenTrips = seen;
  }

  #rampView({ cohort }: RampRow, nowSecond: number): RampView {
    return {
      cohort: this.#record.cohorts.find((each) => each.cohort.name === cohort)?.cohort,
      trips: this.#record.tripsOf(cohort),
      judgements: this.#judge.judged.get(cohort) ?? [],
      slots: this.#judge.slots(cohort),
      nowSecond,
    };
  }

  figures(): GuardFigures {
    const { trips, ramps } = this.#record;
    return {
      trips: this.#maker.counts,
      judged: this.#judge.judged,
      held: trips.filter(({ action }) => action === 'rollback').map(({ cohort }) => cohort),
      ramps,
      notices: this.#notices.counts,
      blindTicks: this.#blindTicks,
    };
  }

  /** @throws UnknownCohortError */
  async status(cohort?: string): Promise<readonly CohortGuard[]> {
    const { store, book, settings } = this.#options;
    const [cohorts, open, latest, ramps] = await Promise.all([
      store.guardCohorts(),
      store.openTrips(),
      store.latestTrips(),
      store.openRamps(),
    ]);
    const wanted = cohorts.filter((each) => cohort === undefined || each.cohort.name === cohort);
    if (cohort !== undefined && wanted.length === 0) throw new UnknownCohortError(cohort);
    const { windowMs } = settings();
    const common = { open, latest, ramps, windowMs, nowSecond: book.nowSecond() ?? 0 };
    return wanted.map((each) => {
      const { name } = each.cohort;
      const own = { judgements: this.#judge.judged.get(name) ?? [], slots: book.slots(name) };
      return cohortStatus(each.cohort, { ...common, ...own });
    });
  }

  trips(before: string | undefined, limit: number, cohort?: string): Promise<readonly Trip[]> {
    return this.#options.store.listTrips(before, limit, cohort);
  }

  trip(id: string): Promise<Trip | undefined> {
    return this.#options.store.readTrip(id);
  }

  async clear(cohort: string, author: GuardAuthor): Promise<Trip> {
    const { store, log, settings } = this.#options;
    const trip = await store.clearTrips(cohort, author, settings().hooks.length > 0);
    if (trip === undefined) throw new GuardRefusedError(`nothing is tripped in cohort ${cohort}`);
    this.#record.changed();
    const fields = { event: 'guard_cleared', trip: trip.id, cohort, actor: author.actor };
    log.info(fields, 'a person has cleared what the guard did');
    return trip;
  }

  async dryRun(request: DryRunRequest): Promise<DryRun> {
    const periodMs = Number(request.to) - Number(request.from);
    if (!(periodMs > 0 && periodMs <= PERIOD_MS_MAX))
      throw new GuardRefusedError('a dry run is over more than nothing and at most 14 days');
    return this.#options.dryRun(request, request.conditions ?? this.#options.settings().conditions);
  }

  startRamp(cohort: string, plan: RampPlan, author: GuardAuthor): Promise<RampRun> {
    return this.#ordered(this.#orders.start(cohort, plan, author), 'start', author);
  }

  pauseRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ordered(this.#orders.pause(cohort, author), 'pause', author);
  }

  resumeRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ordered(this.#orders.resume(cohort, author), 'resume', author);
  }

  abortRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ordered(this.#orders.abort(cohort, author), 'abort', author);
  }

  approveRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ordered(this.#orders.approve(cohort, author), 'approve', author);
  }

  async #ordered(order: Promise<RampRow>, what: string, { actor }: GuardAuthor): Promise<RampRun> {
    const run = await order;
    this.#record.changed();
    const { id, cohort, status } = run;
    const fields = { event: 'ramp_ordered', ramp: id, cohort, what, actor, status };
    this.#options.log.info(fields, 'a person orders a ramp');
    return run;
  }

  ramps(cohort: string, limit: number): Promise<readonly RampRun[]> {
    return this.#options.store.listRamps(cohort, limit);
  }

  onTick(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Stops judging at once, and waits for what is under way. That may wait for a change, so begin this before the
   * `Control` is closed, and await it after; both before the record.
   */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all([
      this.#maker.close(),
      this.#keeper.close(),
      this.#runner.close(),
      this.#notices.close(),
      this.#options.book.close?.(),
    ]);
  }
}
