/**
 * The reports as people read and change them. Needs the record only, so that whoever serves the admin API can do it; and,
 * to verify, somebody who asks backends.
 */
import { type CompiledRules, compileRules, NO_RULES } from '../comparison/compile-rules.ts';
import { shapeProblems } from '../comparison/rules-shape.ts';
import type { RuleProblem, RulesWritten } from '../comparison/rules-written.ts';
import type { ReplaysReads } from '../shadow/read-replay.ts';
import { type CohortReport, cohortReport } from './cohort-report.ts';
import { type Coverage, coverageOf, latenciesOf, type ReportedRoute } from './coverage.ts';
import { type GroupFilter, type GroupPage, pageOfGroups } from './group-list.ts';
import { type JudgedGroup, judgeGroup } from './judged-group.ts';
import type { GroupAction, GroupEvent, ReportStore, StoredRules, StoredSample } from './report-store.ts';
import { type RulesTrial, tryRules } from './try-rules.ts';
import { concludeVerification, judgeWatch, type Verification, verifySample } from './verify-group.ts';

/** A route of the configuration, with the rules that it was given there. */
export interface RouteWithRules extends ReportedRoute {
  readonly rules: RulesWritten | undefined;
}

export interface ReportReaderOptions {
  readonly store: ReportStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Asked each time, so that a reload takes effect. */
  readonly routes: () => readonly RouteWithRules[];
  /** `undefined`: samples cannot be asked again here. */
  readonly replay: ReplaysReads | undefined;
}

export interface GroupInFull {
  readonly group: JudgedGroup;
  readonly samples: readonly StoredSample[];
  /** The latest, newest first. */
  readonly events: readonly GroupEvent[];
  readonly watch: Verification['watch'];
}

/** The rules of one route, and where they come from. */
export interface RulesOfRoute {
  readonly route: string;
  /** `run-time`: saved ones are in force; they replace those of the configuration as a whole. */
  readonly source: 'run-time' | 'configuration' | 'none';
  readonly rules: RulesWritten;
  readonly configured: RulesWritten | undefined;
  /** Of the latest saved ones; 0 before the first. */
  readonly version: number;
  /** Newest first. */
  readonly history: readonly StoredRules[];
}

export type SavedRules =
  | { readonly kind: 'saved'; readonly version: number }
  | { readonly kind: 'invalid'; readonly problems: readonly RuleProblem[] }
  /** Somebody has saved others since `expectedVersion`. */
  | { readonly kind: 'conflict'; readonly version: number };

export type TriedRules =
  | { readonly kind: 'tried'; readonly trial: RulesTrial; readonly groups: readonly JudgedGroup[] }
  | { readonly kind: 'invalid'; readonly problems: readonly RuleProblem[] };

/** Methods reject when the record does not answer. */
export interface ReportReader {
  /** @throws RangeError, see `pageOfGroups` */
  list(filter: GroupFilter & { readonly route?: string; readonly cohort?: string }): Promise<GroupPage>;
  /** `undefined`: there is no such group. */
  show(id: string): Promise<GroupInFull | undefined>;
  /** @throws RangeError for an `ignore` that is over already */
  act(id: string, actor: string, action: GroupAction): Promise<JudgedGroup | undefined>;
  verify(id: string, actor: string): Promise<Verification | undefined>;
  /** Of the last `periodMs`. */
  coverage(periodMs: number, cohort?: string): Promise<Coverage>;
  /** `undefined`: no read of that cohort was ever compared, and no group was seen there. */
  report(cohort: string, periodMs: number): Promise<CohortReport>;
  /** `undefined`: the configuration has no such route. */
  rules(route: string): Promise<RulesOfRoute | undefined>;
  tryRules(route: string, written: unknown): Promise<TriedRules | undefined>;
  /** @param written `undefined`: back to the configuration's */
  saveRules(
    route: string,
    written: unknown,
    by: { readonly actor: string; readonly reason: string; readonly expectedVersion?: number },
  ): Promise<SavedRules | undefined>;
}

const EVENTS_SHOWN = 50;
const RULES_SHOWN = 20;
/** No sample is asked again after this. */
const VERIFY_MS = 8_000;
/** Samples that rules are tried on: each costs two comparisons of at most 64 KiB. */
const TRIED_SAMPLES_MAX = 300;

export function createReportReader(options: ReportReaderOptions): ReportReader {
  return new RecordReader(options);
}

class RecordReader implements ReportReader {
  readonly #options: ReportReaderOptions;

  constructor(options: ReportReaderOptions) {
    this.#options = options;
  }

  async list(
    filter: GroupFilter & { readonly route?: string; readonly cohort?: string },
  ): Promise<GroupPage> {
    const { store, now } = this.#options;
    const rows = await store.listMismatchGroups(now(), filter.route, filter.cohort);
    return pageOfGroups(rows.map(judgeGroup), filter);
  }

  async show(id: string): Promise<GroupInFull | undefined> {
    const { store, now } = this.#options;
    const at = now();
    const row = await store.readMismatchGroup(at, id);
    if (row === undefined) return undefined;
    const [samples, events] = await Promise.all([
      store.mismatchSamples(at, id),
      store.mismatchEvents(id, EVENTS_SHOWN),
    ]);
    const group = judgeGroup(row);
    return { group, samples, events, watch: await this.#watch(group) };
  }

  async act(id: string, actor: string, action: GroupAction): Promise<JudgedGroup | undefined> {
    const { store, now } = this.#options;
    const at = now();
    if (action.action === 'ignore' && action.until <= at) {
      throw new RangeError('a group is ignored until a moment that is still to come');
    }
    const row = await store.changeMismatchGroup(id, at, actor, action);
    return row === undefined ? undefined : judgeGroup(row);
  }

  async #watch(group: JudgedGroup): Promise<Verification['watch']> {
    const watch = await this.#options.store.mismatchWatch(group.id);
    if (watch === undefined) return undefined;
    const before = { raw: group.raw - watch.seen, compared: group.compared - watch.reads };
    return { ...watch, outcome: judgeWatch(watch, before) };
  }

  async verify(id: string, actor: string): Promise<Verification | undefined> {
    const { store, now, replay } = this.#options;
    const row = await store.readMismatchGroup(now(), id);
    if (row === undefined) return undefined;
    const group = judgeGroup(row);
    const rules = compiledOf((await this.rules(group.route))?.rules);
    const stored = await store.mismatchSamples(now(), id);
    const samples = [];
    const begun = now();
    for (const sample of stored) {
      // Whoever asked waits for the answer.
      const asks = now() - begun < VERIFY_MS ? replay : undefined;
      samples.push(await verifySample(sample, group.signature, asks, rules));
    }
    const cannotTell = samples.length === 0 || samples.some(({ outcome }) => outcome.verdict === 'unknown');
    const earlier = await this.#watch(group);
    const verdict = concludeVerification(samples, earlier);
    // A watch that was answered is over; the next one begins with what is there now.
    const isAnswered = earlier === undefined || earlier.outcome.verdict === 'still_there';
    if (cannotTell && isAnswered) await store.armMismatchWatch(id, now(), actor);
    await store.noteMismatchEvent(id, now(), actor, 'verify', verdict);
    const watch = earlier ?? (await this.#watch(group));
    return { verdict, samples, watch };
  }

  async coverage(periodMs: number, cohort?: string): Promise<Coverage> {
    const { store, now, routes } = this.#options;
    const [from, to] = [now() - periodMs, now()];
    const [rows, totals] = await Promise.all([
      store.coverageCounts(from, to, cohort),
      store.comparisonTotals(),
    ]);
    return coverageOf(rows, ofCohort(totals, cohort), routes(), { from, to });
  }

  async report(cohort: string, periodMs: number): Promise<CohortReport> {
    const { store, now, routes } = this.#options;
    const madeAt = now();
    const period = { from: madeAt - periodMs, to: madeAt };
    const [rows, totals, groupRows] = await Promise.all([
      store.coverageCounts(period.from, period.to, cohort),
      store.comparisonTotals(),
      store.listMismatchGroups(madeAt, undefined, cohort),
    ]);
    const groups = groupRows.map(judgeGroup);
    const first = groups.reduce((least, { countedFrom }) => Math.min(least, countedFrom), madeAt);
    const hour = 3_600_000;
    const counted = await store.countedReads(cohort, Math.floor(first / hour) * hour);
    const coverage = coverageOf(rows, ofCohort(totals, cohort), routes(), period);
    return cohortReport({ cohort, madeAt, coverage, latencies: latenciesOf(rows), groups, counted });
  }

  async rules(route: string): Promise<RulesOfRoute | undefined> {
    const { store, routes } = this.#options;
    const configured = routes().find(({ name }) => name === route);
    if (configured === undefined) return undefined;
    const history = await store.comparisonRulesHistory(route, RULES_SHOWN);
    const [latest] = history;
    const saved = latest?.rules;
    return {
      route,
      source: saved !== undefined ? 'run-time' : configured.rules !== undefined ? 'configuration' : 'none',
      rules: saved ?? configured.rules ?? {},
      configured: configured.rules,
      version: latest?.version ?? 0,
      history,
    };
  }

  async tryRules(route: string, written: unknown): Promise<TriedRules | undefined> {
    const { store, now } = this.#options;
    const current = await this.rules(route);
    if (current === undefined) return undefined;
    const compiled = compileRules(written);
    if (compiled.rules === undefined) return { kind: 'invalid', problems: compiled.problems };
    const samples = await store.mismatchSamplesOf(now(), route, TRIED_SAMPLES_MAX);
    const groups = await store.listMismatchGroups(now(), route);
    const onTrial = { written: writtenRules(written), compiled: compiled.rules };
    const trial = await tryRules(samples, compiledOf(current.rules), onTrial);
    return { kind: 'tried', trial, groups: groups.map(judgeGroup) };
  }

  async saveRules(
    route: string,
    written: unknown,
    { actor, reason, expectedVersion }: { actor: string; reason: string; expectedVersion?: number },
  ): Promise<SavedRules | undefined> {
    const { store, now } = this.#options;
    const current = await this.rules(route);
    if (current === undefined) return undefined;
    if (written !== undefined) {
      const compiled = compileRules(written);
      if (compiled.rules === undefined) return { kind: 'invalid', problems: compiled.problems };
    }
    const rules = written === undefined ? undefined : writtenRules(written);
    const saved = await store.saveComparisonRules(route, rules, now(), actor, reason, expectedVersion);
    return saved.isSaved
      ? { kind: 'saved', version: saved.version }
      : { kind: 'conflict', version: saved.version };
  }
}

function ofCohort<T extends { readonly cohort: string }>(
  rows: readonly T[],
  cohort: string | undefined,
): readonly T[] {
  return cohort === undefined ? rows : rows.filter((row) => row.cohort === cohort);
}

/** Of rules that were checked when they were saved or read from the configuration. */
function compiledOf(rules: RulesWritten | undefined): CompiledRules {
  return compileRules(rules ?? {}).rules ?? NO_RULES;
}

/** @param written what `compileRules` has accepted */
function writtenRules(written: unknown): RulesWritten {
  return shapeProblems(written).written;
}
