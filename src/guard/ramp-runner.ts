/**
 * Walks the plans by which ramps grow. ARCHITECTURE.md, section 'The guard', has the states. Any process may take any
 * step: each names the version of the run that it knows, and each change has a key made of the run and the step.
 */
import type { Logger } from 'pino';
import {
  ChangeRefusedError,
  type Control,
  UnknownCohortError,
  WritesUnknownError,
} from '../cutover/control.ts';
import { ChangeConflictError } from '../cutover/stores.ts';
import { isSameRamp } from '../decision/ramp.ts';
import type { Cohort } from '../model.ts';
import type { Judgement } from './condition.ts';
import { unmetGates } from './gates-met.ts';
import { GuardTrippedError } from './guard-control.ts';
import type { GuardStore, RampPatch, RampRow, TripRow } from './guard-store.ts';
import { rampInWords } from './ramp-in-words.ts';
import type { RampStatus } from './ramp-plan.ts';
import type { Slot } from './slot.ts';
import { tallyOf } from './tally.ts';

export interface RampRunnerOptions {
  readonly store: GuardStore;
  readonly control: Pick<Control, 'changeStage'>;
  /** Whether people are to be told. */
  readonly tells: () => boolean;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Something has changed in the record. */
  readonly changed: () => void;
}

/** What a tick knows of a run's cohort. */
export interface RampView {
  readonly cohort: Cohort | undefined;
  readonly trips: readonly TripRow[];
  readonly judgements: readonly Judgement[];
  /** Those that count, oldest first. */
  readonly slots: readonly Slot[];
  readonly nowSecond: number;
}

/** How often what was watched is noted in the record. */
const BEAT_MS = 5_000;
/** Time between two notes counts up to this: a process that was stopped has watched nothing. */
const WATCHED_MS_MAX = 20_000;
/** Whoever began a step and has not said so long what came of it is gone, or waits like the one that takes over. */
const SILENT_MS = 3_000;
/** Seconds that may still get counts from slow gateways. */
const OPEN_S = 2;
/** After a step was undone: for so long it bakes again, doubled each time, up to that. */
const UNDONE_MS = 10_000;
const UNDONE_MS_MAX = 300_000;

interface Seen {
  readonly version: number;
  readonly atMs: number;
}

export class RampRunner {
  readonly #options: RampRunnerOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Steps that this process began, by run and version. */
  readonly #mine = new Set<string>();

  constructor(options: RampRunnerOptions) {
    this.#options = options;
  }

  /** Looks at each run; what has to wait is done beside the tick. */
  tick(runs: readonly RampRow[], viewOf: (run: RampRow) => RampView): void {
    const { now, log } = this.#options;
    const open = new Set(runs.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!open.has(id)) this.#seen.delete(id);
    for (const run of runs) {
      if (this.#seen.get(run.id)?.version !== run.version)
        this.#seen.set(run.id, { version: run.version, atMs: now() });
      if (this.#busy.has(run.id)) continue;
      const work = this.#look(run, viewOf(run))
        .catch((err: unknown) => {
          const fields = { event: 'ramp_delayed', ramp: run.id, cohort: run.cohort, err };
          log.warn(fields, 'a ramp could not go on; it is tried again');
        })
        .finally(() => this.#busy.delete(run.id));
      this.#busy.set(run.id, work);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #look(run: RampRow, view: RampView): Promise<void> {
    const { cohort, trips } = view;
    if (cohort === undefined) return this.#end(run, 'aborted', 'the cohort does not exist any more');
    const back = trips.find(({ action }) => action === 'rollback');
    if (back !== undefined)
      return this.#end(run, 'aborted', `the guard took the cohort back: trip ${back.id}`);
    if (run.status === 'paused') return undefined;
    const held = trips.find(({ action, trippedAt }) => action === 'hold' && trippedAt > run.goesSince);
    if (held !== undefined)
      return this.#end(
        run,
        'paused',
        `the guard holds it: condition ${held.condition.name}, trip ${held.id}`,
      );
    if (run.status === 'stepping') {
      const seenMs = this.#options.now() - (this.#seen.get(run.id)?.atMs ?? 0);
      if (this.#mine.has(`${run.id} ${run.version}`) || seenMs > SILENT_MS) await this.#step(run);
      return undefined;
    }
    if (!isWhereItWas(run, cohort)) {
      // What was read beside the run may be older than it.
      const now = (await this.#options.store.guardCohorts()).find((each) => each.cohort.name === run.cohort);
      if (now !== undefined && !isWhereItWas(run, now.cohort))
        return this.#end(
          run,
          'paused',
          `somebody else has set it to ${now.cohort.stage}, ${rampInWords(now.cohort.ramp)}`,
        );
      return undefined;
    }
    return this.#bake(run, view);
  }

  async #end(
    run: RampRow,
    status: Extract<RampStatus, 'paused' | 'aborted' | 'done'>,
    note: string | undefined,
  ) {
    await this.#change(run, { status, note }, true);
  }

  /** Counts what was watched, and looks at the gates when the time is over. */
  async #bake(run: RampRow, view: RampView): Promise<void> {
    const watched = this.#watched(run, view);
    const bakeMs = run.plan.steps[run.step]?.bakeMs ?? 0;
    const isBaked = run.step < 0 || watched.bakedMs >= bakeMs;
    const unmet =
      !isBaked || run.step < 0 ? [] : unmetGates(run.plan.gates, { ...view, ...watched, ...backlogOf(view) });
    const next = nextStatus(run, isBaked, unmet);
    const sinceMs = this.#options.now() - (this.#seen.get(run.id)?.atMs ?? 0);
    if (next.status === run.status && sinceMs < BEAT_MS) return;
    const isTold = next.status !== run.status && (next.status === 'waiting' || next.status === 'done');
    const changed = await this.#change(run, { ...watched, ...next }, isTold);
    if (changed?.status !== 'stepping') return;
    this.#mine.add(`${changed.id} ${changed.version}`);
    await this.#step(changed);
  }

  #watched(run: RampRow, { slots, nowSecond }: RampView) {
    const elapsedMs = this.#options.now() - (this.#seen.get(run.id)?.atMs ?? this.#options.now());
    const last = nowSecond - OPEN_S;
    // A clock that was set back: what lies between is not known.
    const from = run.countedTo === undefined || run.countedTo > nowSecond ? last : run.countedTo;
    let { compared, mismatched } = run;
    for (const slot of slots) {
      if (slot.second <= from || slot.second > last) continue;
      const sum = tallyOf(slot.new);
      compared += sum.compared;
      mismatched += sum.mismatched;
    }
    const bakedMs = run.bakedMs + Math.min(elapsedMs, WATCHED_MS_MAX);
    return { bakedMs, compared, mismatched, countedTo: Math.max(from, last) };
  }

  /** Makes the change of the next step, or finds the one that was made. */
  async #step(run: RampRow): Promise<void> {
    const { control } = this.#options;
    const step = run.step + 1;
    const next = run.plan.steps[step];
    if (next === undefined) return this.#end(run, 'done', undefined);
    // The attempt only ever grows: after somebody has taken the ramp back, a step is taken once more.
    const key = run.attempt === 0 ? `ramp-${run.id}-${step}` : `ramp-${run.id}-${step}-${run.attempt}`;
    try {
      const change = await control.changeStage({
        cohort: run.cohort,
        stage: run.stage,
        ramp: next.ramp,
        onlyFrom: { stage: run.stage, ramp: run.from },
        dirtyUsers: 'drain',
        actor: 'guard',
        reason: `step ${step + 1} of ${run.plan.steps.length} of the ramp of ${run.actor}: ${run.reason}`,
        expectedEpoch: undefined,
        idempotencyKey: key,
      });
      if (change.phase === 'done') {
        const begun = { status: 'baking', step, begins: true, from: next.ramp, approved: false } as const;
        await this.#change(run, { ...begun, note: undefined }, true);
      } else if (change.phase === 'undone') {
        const againMs = Math.min(UNDONE_MS_MAX, UNDONE_MS * 2 ** run.attempt);
        const bakedMs = Math.max(0, (run.plan.steps[run.step]?.bakeMs ?? 0) - againMs);
        const note = `step ${step + 1} was undone, and is tried again: ${change.note ?? 'nobody said why'}`;
        await this.#change(run, { status: 'baking', attempt: run.attempt + 1, bakedMs, note }, false);
      }
      // Else it goes on, and is asked for again.
    } catch (error) {
      await this.#refused(run, error);
    }
  }

  async #refused(run: RampRow, error: unknown): Promise<void> {
    // Waited for; and the trip ends the run.
    if (error instanceof ChangeConflictError || error instanceof GuardTrippedError) return;
    if (
      error instanceof ChangeRefusedError ||
      error instanceof WritesUnknownError ||
      error instanceof UnknownCohortError
    ) {
      await this.#end(run, 'paused', error.message);
      return;
    }
    throw error;
  }

  async #change(run: RampRow, patch: RampPatch, tell: boolean): Promise<RampRow | undefined> {
    const { store, tells, log, changed } = this.#options;
    const after = await store.changeRamp(run.id, run.version, patch, tell && tells());
    changed();
    if (after === undefined) return undefined;
    this.#mine.delete(`${run.id} ${run.version}`);
    if (after.status !== run.status || after.step !== run.step) {
      const { id, cohort, status, step, note } = after;
      log.info(
        { event: 'ramp_moved', ramp: id, cohort, status, step, note },
        'a ramp goes on, waits or ends',
      );
    }
    return after;
  }
}

function isWhereItWas(run: RampRow, { stage, ramp }: Cohort): boolean {
  return stage === run.stage && isSameRamp(ramp, run.from);
}

function backlogOf({ slots }: RampView): { readonly mirrorBacklog: number | undefined } {
  return { mirrorBacklog: slots.findLast(({ mirrorBacklog }) => mirrorBacklog !== undefined)?.mirrorBacklog };
}

/** The first step is taken at once: whoever began the plan let it be taken, and before it there is nothing to judge. */
function nextStatus(
  { plan, step, approved, status, note }: RampRow,
  isBaked: boolean,
  unmet: readonly string[],
): { readonly status: RampStatus; readonly note: string | undefined } {
  // Until then the note says why it bakes once more, if it does.
  if (!isBaked) return { status: 'baking', note: status === 'baking' ? note : undefined };
  if (unmet.length > 0) return { status: 'gated', note: unmet.join('; ') };
  if (step >= plan.steps.length - 1) return { status: 'done', note: undefined };
  if (plan.automatic || approved || step < 0) return { status: 'stepping', note: undefined };
  return { status: 'waiting', note: 'waits for a person to let it take the next step' };
}
