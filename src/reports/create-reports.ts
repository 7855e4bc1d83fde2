/**
 * The reports of one process. What shadow reads tell is counted in memory; a timer tells the record, a bounded batch
 * at a time. Nothing on the way of a read waits for it, and a record that does not answer costs reports, never memory:
 *
 *  gathered  in memory, bounded; beyond the bound counted as `ungrouped`
 *  pending   one batch, frozen, repeated until the record has it; its number makes a repetition harmless
 *  told      in the record
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { CompiledRules } from '../comparison/compile-rules.ts';
import type { Difference } from '../comparison/difference.ts';
import { fromLegacy } from '../comparison/from-legacy.ts';
import { signatureOf } from '../comparison/signature.ts';
import type { ComparedRead, NoiseRead, ReportSink, ShadowSkip } from '../shadow/report-sink.ts';
import { GatheredGroups, groupsOf } from './gathered-groups.ts';
import { Redaction, type RedactionOptions } from './redaction.ts';
import {
  type BatchOutcome,
  GROUPS_A_FLUSH,
  type GroupStatus,
  REPORT_BOUNDS,
  type ReportBatch,
  type ReportBounds,
  type ReportStore,
} from './report-store.ts';
import { LatestRules } from './run-time-rules.ts';
import { SampleTaker } from './sample-taker.ts';
import { type Progress, Tallies } from './tallies.ts';

/** The part of the configuration that may change while the process runs. */
export interface ReportSettings {
  readonly redact: RedactionOptions;
  /** How long samples are kept. */
  readonly sampleMs: number;
}

export interface ReportOptions extends ReportSettings {
  readonly store: ReportStore;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to 1; spreads the processes over the interval. */
  readonly random: () => number;
  readonly flushMs?: number;
  readonly rulesPollMs?: number;
  readonly bounds?: ReportBounds;
}

export interface Reports extends ReportSink {
  /** Run-time rules of a route; `undefined`: the configured ones are in force. */
  rulesOf(route: string): CompiledRules | undefined;
  /** For samples that are taken from now on. */
  configure(settings: ReportSettings): void;
  /** Reads the rules, if the record answers, and begins to tell it what is counted. Never rejects. */
  start(): Promise<void>;
  /** Tells the record one batch now, or the one that waits. @returns whether nothing is left to tell */
  flush(): Promise<boolean>;
  /** Reads the version of the rules now. Never rejects. */
  pollRules(): Promise<void>;
  /** Tells what can be told within a bound, then no more. */
  stop(): Promise<void>;
  /** Groups by status, as of some seconds ago; `undefined` before the record first answered. */
  readonly groups: ReadonlyMap<GroupStatus, number> | undefined;
}

const FLUSH_MS = 2_000;
const RULES_POLL_MS = 2_500;
const GROUP_COUNT_MS = 15_000;
const UPKEEP_ASK_MS = 60_000;
const UPKEEP_MS = 10 * 60_000;
/** A batch that the record refuses, or does not finish in time, is given up after so many tries. */
const REFUSED_MAX = 20;
/** Batches that are told when the process stops. */
const LAST_BATCHES_MAX = 10;
const STOP_MS = 3_000;

export function createReports(options: ReportOptions): Reports {
  return new ProcessReports(options);
}

class ProcessReports implements Reports {
  readonly #options: ReportOptions;
  readonly #bounds: ReportBounds;
  readonly #process = randomUUID();
  /** Of hashes in samples; dies with the process. */
  readonly #secret = randomBytes(32);
  readonly #tallies = new Tallies();
  readonly #gathered = new GatheredGroups();
  readonly #samples: SampleTaker;
  readonly #rules: LatestRules;
  readonly #timers: NodeJS.Timeout[] = [];
  /** By route, what the record has of this process's counts. */
  readonly #told = new Map<string, Progress>();
  #sequence = 0;
  #pending:
    | { readonly batch: ReportBatch; readonly seen: ReadonlyMap<string, Progress>; refusals: number }
    | undefined;
  #flushing: Promise<boolean> | undefined;
  #isDelayed = false;
  #key: Uint8Array | undefined;
  #groups: ReadonlyMap<GroupStatus, number> | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;
  #upkeepAskedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? REPORT_BOUNDS;
    this.#samples = new SampleTaker(this.#redaction(options), options.sampleMs);
    this.#rules = new LatestRules(options.store, options.log);
  }

  get groups(): ReadonlyMap<GroupStatus, number> | undefined {
    return this.#groups;
  }

  compared(read: ComparedRead): void {
    const before = this.#tallies.seen(read.route);
    this.#tallies.compared(read);
    if (read.verdict === 'matched') return;
    const at = this.#options.now();
    let isWhole = true;
    const { route, authoritative } = read;
    for (const [signature, difference] of groupsOf(route, read.comparison, authoritative)) {
      const id = this.#gathered.add(signature, difference, read, at, before, this.#key);
      if (id === undefined) isWhole = false;
      else {
        const isOfGroup = (one: Difference) =>
          signatureOf(route, fromLegacy(one, authoritative)) === signature;
        this.#samples.offer(id, read, at, isOfGroup);
      }
    }
    if (!isWhole) this.#tallies.count(read.route, read.cohort, 'ungrouped');
  }

  noise(read: NoiseRead): void {
    const before = this.#tallies.seen(read.route);
    this.#tallies.noise(read);
    const at = this.#options.now();
    for (const [signature, difference] of groupsOf(read.route, read.comparison, read.authoritative)) {
      const isKept = this.#gathered.addNoise(signature, difference, read, at, before);
      if (!isKept) this.#tallies.count(read.route, read.cohort, 'ungrouped');
    }
  }

  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void {
    this.#tallies.skipped(route, cohort, reason);
  }

  #redaction({ redact }: ReportSettings): Redaction {
    return new Redaction(this.#secret, redact);
  }

  configure(settings: ReportSettings): void {
    this.#samples.configure(this.#redaction(settings), settings.sampleMs);
  }

  rulesOf(route: string): CompiledRules | undefined {
    return this.#rules.rulesOf(route);
  }

  async start(): Promise<void> {
    const { flushMs = FLUSH_MS, rulesPollMs = RULES_POLL_MS, random } = this.#options;
    this.#every(flushMs * (0.75 + random() / 4), () => this.flush());
    this.#every(rulesPollMs, () => this.pollRules());
    await this.pollRules();
    // A record that is away is asked again by each flush.
    await this.#readKey().catch(() => undefined);
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => void work(), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  async pollRules(): Promise<void> {
    try {
      await this.#rules.poll();
    } catch (err) {
      this.#delayed(err);
    }
  }

  async #readKey(): Promise<void> {
    this.#key ??= await this.#options.store.reportKey();
  }

  flush(): Promise<boolean> {
    this.#flushing ??= this.#flushOnce().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flushOnce(): Promise<boolean> {
    try {
      await this.#readKey();
      await this.#tell();
      await this.#lookAfter();
      this.#isDelayed = false;
    } catch (err) {
      this.#delayed(err);
      return false;
    }
    return this.#gathered.size === 0 && this.#tallies.isEmpty;
  }

  /** Said once, until the record has answered again. */
  #delayed(err: unknown): void {
    if (this.#isDelayed) return;
    this.#isDelayed = true;
    this.#options.log.warn(
      { err, event: 'reports_delayed' },
      'the record does not take reports; they are kept within a bound',
    );
  }

  async #tell(): Promise<void> {
    this.#pending ??= this.#nextBatch();
    const pending = this.#pending;
    if (pending === undefined) return;
    try {
      this.#note(await this.#options.store.applyReportBatch(pending.batch, this.#bounds), pending.batch);
    } catch (err) {
      if (!isRefusal(err) || ++pending.refusals < REFUSED_MAX) throw err;
      this.#options.log.error(
        { err, event: 'reports_lost', groups: pending.batch.groups.length },
        'the record refuses a batch of reports; it is dropped',
      );
    }
    for (const [route, progress] of pending.seen) this.#told.set(route, progress);
    this.#pending = undefined;
  }

  #nextBatch(): { batch: ReportBatch; seen: ReadonlyMap<string, Progress>; refusals: number } | undefined {
    if (this.#tallies.isEmpty && this.#gathered.size === 0) return undefined;
    const groups = this.#gathered.take(GROUPS_A_FLUSH, (route) => this.#told.get(route) ?? NOTHING);
    const samples = this.#samples.take(new Set(groups.map(({ id }) => id)));
    const { pairs, sides } = this.#tallies.take();
    const routes = new Set([...pairs, ...sides].map(({ route }) => route));
    const seen = new Map([...routes].map((route) => [route, this.#tallies.seen(route)]));
    this.#sequence += 1;
    const at = this.#options.now();
    const batch = { process: this.#process, sequence: this.#sequence, at, pairs, sides, groups, samples };
    return { batch: Object.freeze(batch), seen, refusals: 0 };
  }

  #note({ refusedGroups, samples, reopened }: BatchOutcome, { at }: ReportBatch): void {
    this.#samples.told(samples, refusedGroups, at);
    this.#samples.forget(reopened);
    if (reopened.length === 0) return;
    this.#countedAt = Number.NEGATIVE_INFINITY;
    this.#options.log.warn(
      { event: 'mismatch_reopened', groups: reopened.slice(0, 20) },
      'differences that were resolved are back',
    );
  }

  async #lookAfter(): Promise<void> {
    const { store, now } = this.#options;
    const at = now();
    if (at - this.#countedAt >= GROUP_COUNT_MS) {
      this.#groups = await store.countMismatchGroups(at);
      this.#countedAt = at;
    }
    if (at - this.#upkeepAskedAt >= UPKEEP_ASK_MS) {
      this.#upkeepAskedAt = at;
      await store.reportUpkeep(at, UPKEEP_MS, this.#bounds);
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    let given = true;
    const last = async (): Promise<void> => {
      for (let left = LAST_BATCHES_MAX; left > 0 && given; left -= 1) {
        if ((await this.flush()) || this.#isDelayed) return;
      }
    };
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, STOP_MS);
    await Promise.race([last(), timeout.promise]);
    given = false;
    clearTimeout(timer);
  }
}

const NOTHING: Progress = Object.freeze({ compared: 0, noiseReads: 0 });

/** The server answered and will not take it: not a lost connection (08), a clash (40), a shortage (53) or a stop (57P). */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^[0-9][0-9A-Z]{4}$/.test(error.code) && !/^(?:08|40|53|57P)/.test(error.code);
}
