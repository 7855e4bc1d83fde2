/** What people order a ramp to do. Each order names the version of the run that it was given for, and is audited. */
import { randomUUID } from 'node:crypto';
import { UnknownCohortError } from '../cutover/control.ts';
import { isSameRamp } from '../decision/ramp.ts';
import type { Cohort, Ramp } from '../model.ts';
import { type GuardAuthor, GuardRefusedError, GuardTrippedError } from './guard-control.ts';
import type { GuardStore, RampPatch, RampRow } from './guard-store.ts';
import { rampInWords } from './ramp-in-words.ts';
import { stepOutOfOrder } from './ramp-order.ts';
import type { RampPlan } from './ramp-plan.ts';

export interface RampOrdersOptions {
  readonly store: GuardStore;
  /** Whether people are to be told. */
  readonly tells: () => boolean;
}

const STEPS_MAX = 100;
/** A run moves by itself meanwhile. */
const TRIES_MAX = 10;

/** Whether the first ramp admits fewer users for certain. A number and a share cannot be compared. */
function isSmaller(one: Ramp, other: Ramp): boolean {
  if (one.kind === 'percent' && other.kind === 'percent') return one.buckets < other.buckets;
  if (one.kind === 'count' && other.kind === 'count') return one.count < other.count;
  return one.kind === 'percent' ? one.buckets === 0 : one.count === 0 || isFull(other);
}

function isFull(ramp: Ramp): boolean {
  return ramp.kind === 'percent' && ramp.buckets >= 10_000;
}

/** The last step that the cohort's ramp has reached; -1: none. */
function stepAt(plan: RampPlan, ramp: Ramp): number {
  return plan.steps.findLastIndex((step) => isSameRamp(step.ramp, ramp) || isSmaller(step.ramp, ramp));
}

/** @throws GuardRefusedError in words */
function checkFits({ steps }: RampPlan, { name, stage, ramp }: Cohort): void {
  if (steps.length < 1 || steps.length > STEPS_MAX)
    throw new GuardRefusedError(`a plan has 1 to ${STEPS_MAX} steps`);
  const wrong = stepOutOfOrder(steps.map((step) => step.ramp));
  if (wrong !== undefined) throw new GuardRefusedError(`step ${wrong.index + 1} does not fit: ${wrong.why}`);
  if (stage === 'off') {
    throw new GuardRefusedError(
      `cohort ${name} is off, where a ramp means nothing: put it to live with a ramp of 0 first, or to the stage that is to grow`,
    );
  }
  const first = steps[0]?.ramp;
  if (first !== undefined && !isSameRamp(first, ramp) && !isSmaller(ramp, first)) {
    throw new GuardRefusedError(
      `cohort ${name} is at ${stage}, ${rampInWords(ramp)}, and the plan begins with ${rampInWords(first)}: a plan never takes users back`,
    );
  }
}

export class RampOrders {
  readonly #options: RampOrdersOptions;

  constructor(options: RampOrdersOptions) {
    this.#options = options;
  }

  async start(cohort: string, plan: RampPlan, author: GuardAuthor): Promise<RampRow> {
    const { store, tells } = this.#options;
    const found = await this.#cohort(cohort);
    await this.#checkNotHeld(cohort);
    checkFits(plan, found);
    const step = plan.steps.findIndex(({ ramp }) => isSameRamp(ramp, found.ramp));
    const { stage, ramp: from } = found;
    const run = await store.addRamp({ id: randomUUID(), cohort, plan, stage, from, step }, author, tells());
    if (run !== undefined) return run;
    await this.#checkNotHeld(cohort);
    throw new GuardRefusedError(`a ramp of cohort ${cohort} is under way: abort it first`);
  }

  pause(cohort: string, author: GuardAuthor): Promise<RampRow> {
    return this.#order(cohort, author, (run) => {
      if (run.status === 'paused')
        throw new GuardRefusedError(`the ramp of cohort ${cohort} is paused already`);
      return { status: 'paused', note: `paused by ${author.actor}: ${author.reason}` };
    });
  }

  async resume(cohort: string, author: GuardAuthor): Promise<RampRow> {
    const found = await this.#cohort(cohort);
    await this.#checkNotHeld(cohort);
    return this.#order(cohort, author, (run) => {
      if (run.status !== 'paused') throw new GuardRefusedError(`the ramp of cohort ${cohort} is not paused`);
      if (found.stage !== run.stage) {
        throw new GuardRefusedError(
          `cohort ${cohort} is at ${found.stage}, and its ramp was begun at ${run.stage}: put it back there, or abort the ramp`,
        );
      }
      const goes = { status: 'baking', resumed: true, note: undefined } as const;
      if (isSameRamp(found.ramp, run.from)) return goes;
      // Somebody has set another ramp: it goes on from there, and what was counted is of another share of users.
      const step = stepAt(run.plan, found.ramp);
      return { ...goes, step, from: found.ramp, begins: true, attempt: run.attempt + 1 };
    });
  }

  abort(cohort: string, author: GuardAuthor): Promise<RampRow> {
    return this.#order(cohort, author, () => ({
      status: 'aborted',
      note: `aborted by ${author.actor}: ${author.reason}`,
    }));
  }

  approve(cohort: string, author: GuardAuthor): Promise<RampRow> {
    return this.#order(cohort, author, ({ plan, status, step, note }) => {
      if (plan.automatic)
        throw new GuardRefusedError(
          `the ramp of cohort ${cohort} takes its steps by itself, when its gates are met`,
        );
      if (status === 'paused')
        throw new GuardRefusedError(`the ramp of cohort ${cohort} is paused: resume it`);
      if (status === 'stepping' || step >= plan.steps.length - 1)
        throw new GuardRefusedError(`the ramp of cohort ${cohort} has no step that waits for a person`);
      return { approved: true, note };
    });
  }

  async #order(cohort: string, author: GuardAuthor, patchOf: (run: RampRow) => RampPatch): Promise<RampRow> {
    const { store, tells } = this.#options;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const run = (await store.openRamps()).find((each) => each.cohort === cohort);
      if (run === undefined) throw new GuardRefusedError(`no ramp of cohort ${cohort} is under way`);
      const patch = patchOf(run);
      const changed = await store.changeRamp(run.id, run.version, patch, tells(), author);
      if (changed !== undefined) return changed;
    }
    throw new Error(`the ramp of cohort ${cohort} changes all the time: try again`);
  }

  async #cohort(name: string): Promise<Cohort> {
    const found = (await this.#options.store.guardCohorts()).find(({ cohort }) => cohort.name === name);
    if (found === undefined) throw new UnknownCohortError(name);
    return found.cohort;
  }

  async #checkNotHeld(cohort: string): Promise<void> {
    const trip = await this.#options.store.heldBy(cohort);
    if (trip !== undefined) throw new GuardTrippedError(cohort, trip);
  }
}
