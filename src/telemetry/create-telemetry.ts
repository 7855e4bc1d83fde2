/** One process's metrics and log, behind the small contract that the other rooms use. */
import type { DestinationStream, Logger } from 'pino';
import type { FallbackOutcome } from '../guard/guard-control.ts';
import type { GuardView } from '../guard/guard-figures.ts';
import type { Backend, RequestClass } from '../model.ts';
import { Cells } from './cells.ts';
import { renderFamilies } from './exposition.ts';
import { FallbackCounts } from './fallback-counts.ts';
import { counter, type Family, gauge, seconds } from './families.ts';
import { guardEngineFamilies } from './guard-engine-metrics.ts';
import { type CountsView, guardFamilies } from './guard-metrics.ts';
import { Histogram, HOLD_SHAPE } from './histogram.ts';
import { type LogLevel, type OpenLog, openLog } from './logger.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { type ReportsView, reportFamilies } from './report-metrics.ts';
import { ShadowCounts } from './shadow-counts.ts';
import { type StateView, stateFamilies } from './state-metrics.ts';
import type { AccessEntry, RequestCell, Telemetry } from './telemetry.ts';
import { VERSION } from './version.ts';

export interface TelemetryOptions {
  readonly level: LogLevel;
  /** The share of requests in the access log, 0 to 1. */
  readonly accessSample: number;
  /** Tells the processes of one gateway apart in log and metrics; `1` for a single process. */
  readonly worker?: string;
  /** Where the log goes; standard output unless given. */
  readonly destination?: DestinationStream;
  /** 0 to 1, decides which requests are in the sample. */
  readonly random?: () => number;
  /** Bound on combinations of labels. */
  readonly cellsMax?: number;
}

/** What the owner of the process does with it; the rooms on the data path see `Telemetry` only. */
export interface ProcessTelemetry extends Telemetry {
  /** From now on, epoch, stages and cache figures are read from this map. */
  watchState(state: StateView): void;
  /** From now on, the number of mismatch groups is read from these. */
  watchReports(reports: ReportsView): void;
  /** From now on, what is counted for the guard is read from this. */
  watchCounts(counts: CountsView): void;
  /** From now on, what the guard judged and did is read from this. */
  watchGuard(guard: GuardView): void;
  /** For a reload of the configuration. */
  configure(options: { readonly level: LogLevel; readonly accessSample: number }): void;
  /** Everything this process counted, as data. */
  families(): Promise<Family[]>;
  /** The same as text. */
  metrics(): Promise<string>;
  /** Writes what is still in the log's buffer and stops collecting. */
  close(): void;
}

/** Reasons why identity was rejected come from a fixed list; this holds even if a defect makes them free. */
const REASONS_MAX = 32;

const BACKENDS: readonly Backend[] = ['legacy', 'new'];

class ProcessTelemetryImpl implements ProcessTelemetry {
  readonly log: Logger;
  readonly #openLog: OpenLog;
  readonly #cells: Cells;
  readonly #process: ProcessMetrics;
  readonly #random: () => number;
  #accessSample: number;
  #state: StateView | undefined;
  #reports: ReportsView | undefined;
  #counts: CountsView | undefined;
  #guard: GuardView | undefined;
  #conflicts = 0;
  readonly #rejected = new Map<string, number>();
  readonly #retries = { legacy: 0, new: 0 };
  readonly #tunnelsClosed = { legacy: 0, new: 0 };
  readonly #shadow = new ShadowCounts();
  readonly #fallback = new FallbackCounts();
  #heldWrites = 0;
  readonly #held = new Histogram(HOLD_SHAPE);

  constructor(options: TelemetryOptions) {
    const { level, accessSample, worker = '1', destination, random = Math.random, cellsMax } = options;
    this.#openLog = openLog({ level, worker, ...(destination === undefined ? {} : { destination }) });
    this.log = this.#openLog.log;
    this.#cells = new Cells(cellsMax);
    this.#process = new ProcessMetrics(worker);
    this.#random = random;
    this.#accessSample = accessSample;
  }

  cell(
    route: string,
    cohort: string | undefined,
    backend: Backend | undefined,
    requestClass: RequestClass,
  ): RequestCell {
    return this.#cells.cell(route, cohort, backend, requestClass);
  }

  identityConflict(): void {
    this.#conflicts += 1;
  }

  identityRejected(reason: string): void {
    const known = this.#rejected.has(reason) || this.#rejected.size < REASONS_MAX;
    const name = known ? reason : 'other';
    this.#rejected.set(name, (this.#rejected.get(name) ?? 0) + 1);
  }

  tunnelClosed(backend: Backend): void {
    this.#tunnelsClosed[backend] += 1;
  }

  retried(backend: Backend): void {
    this.#retries[backend] += 1;
  }

  shadowRead(route: string, cohort: string | undefined, verdict: string): void {
    this.#shadow.read(route, cohort, verdict);
  }

  shadowSkipped(reason: string): void {
    this.#shadow.skipped(reason);
  }

  fallbackRead(cohort: string | undefined, outcome: FallbackOutcome): void {
    this.#fallback.add(cohort, outcome);
  }

  heldWrites(delta: 1 | -1): void {
    this.#heldWrites += delta;
  }

  held(ms: number): void {
    this.#held.observe(ms);
  }

  sampled(): boolean {
    return this.#accessSample > 0 && this.#random() < this.#accessSample;
  }

  access(entry: AccessEntry): void {
    this.log.info({ event: 'request', ...entry }, 'request');
  }

  watchState(state: StateView): void {
    this.#state = state;
  }

  watchReports(reports: ReportsView): void {
    this.#reports = reports;
  }

  watchCounts(counts: CountsView): void {
    this.#counts = counts;
  }

  watchGuard(guard: GuardView): void {
    this.#guard = guard;
  }

  configure({ level, accessSample }: { readonly level: LogLevel; readonly accessSample: number }): void {
    this.log.level = level;
    this.#accessSample = accessSample;
  }

  async families(): Promise<Family[]> {
    const own = [
      ...this.#cells.families(),
      ...stateFamilies(this.#state),
      gauge('turnout_held_writes', 'Writes that wait at the gateway now.', 'sum', [
        { labels: {}, value: this.#heldWrites },
      ]),
      seconds('turnout_hold_seconds', 'How long writes were held.', HOLD_SHAPE.boundsS, [
        { labels: {}, histogram: this.#held },
      ]),
      ...this.#identityFamilies(),
      counter(
        'turnout_retries_total',
        'Requests sent again because the backend had closed the idle connection.',
        BACKENDS.map((backend) => ({ labels: { backend }, value: this.#retries[backend] })),
      ),
      counter(
        'turnout_tunnels_closed_total',
        'WebSockets closed because their user was moved.',
        BACKENDS.map((backend) => ({ labels: { backend }, value: this.#tunnelsClosed[backend] })),
      ),
      ...this.#shadow.families(),
      ...this.#fallback.families(),
      ...reportFamilies(this.#reports),
      ...guardFamilies(this.#counts),
      ...guardEngineFamilies(this.#guard),
      gauge('turnout_build_info', 'Always 1; the labels say what is running.', 'max', [
        { labels: { version: VERSION, node: process.version }, value: 1 },
      ]),
    ];
    return [...own, ...(await this.#process.families())];
  }

  #identityFamilies(): Family[] {
    return [
      counter('turnout_identity_conflicts_total', 'Requests whose identity sources named different users.', [
        { labels: {}, value: this.#conflicts },
      ]),
      counter(
        'turnout_identity_rejected_total',
        'Identity sources that were present and could not be used.',
        [...this.#rejected].map(([reason, value]) => ({ labels: { reason }, value })),
      ),
    ];
  }

  async metrics(): Promise<string> {
    return renderFamilies(await this.families());
  }

  close(): void {
    this.#process.close();
    this.#openLog.flush();
  }
}

export function createTelemetry(options: TelemetryOptions): ProcessTelemetry {
  return new ProcessTelemetryImpl(options);
}
