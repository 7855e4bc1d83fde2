/** A guard in memory: it says what the test tells it, and keeps what it was asked. */
import type { AdminGuard } from '../../src/admin/guard-access.ts';
import type { ConfigModel } from '../../src/config/model.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Figures } from '../../src/guard/condition.ts';
import {
  type CohortGuard,
  type DryRun,
  type DryRunRequest,
  type GuardAuthor,
  GuardRefusedError,
  type SideRates,
  type Trip,
} from '../../src/guard/guard-control.ts';
import { shortConditions } from '../../src/guard/guard-settings.ts';
import type { RampPlan, RampRun, RampStatus } from '../../src/guard/ramp-plan.ts';

const AT = new Date('2026-11-21T03:00:00.000Z');
const later = (ms: number): Date => new Date(AT.getTime() + ms);

export const GUARD_CONFIG: ConfigModel['guard'] = parseConfig(`
backends: { legacy: { url: "http://a" }, new: { url: "http://b" } }
guard:
  ramps: { slowly: { steps: [{ ramp: 100, bakeMs: 0 }, { ramp: 10% }, { ramp: 100% }] } }
`).guard;

const [ERRORS] = shortConditions(GUARD_CONFIG);
if (ERRORS === undefined) throw new Error('no condition');

export const FIGURES: Figures = {
  value: 0.42,
  lower: 0.31,
  upper: 0.54,
  legacyValue: 0.001,
  threshold: 0.05,
  requests: 120,
  legacyRequests: 900,
  windowsOver: 1,
  evidence: 24.5,
  kinds: { connect: 49, status: 2 },
  gateways: ['g1', 'g2'],
  apart: undefined,
};

/** Its id ends in the number. */
export function tripOf(number: number, more: Partial<Trip> = {}): Trip {
  if (ERRORS === undefined) throw new Error('no condition');
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    cohort: 'staff',
    condition: ERRORS,
    action: 'rollback',
    path: 'overwhelming',
    figures: FIGURES,
    stage: 'live',
    firstBadAt: later(-600),
    trippedAt: AT,
    change: '11111111-1111-4111-8111-111111111111',
    inForceAt: later(400),
    note: undefined,
    clearedAt: undefined,
    clearedBy: undefined,
    notifiedAt: later(900),
    ...more,
  };
}

export function runOf(status: RampStatus, more: Partial<RampRun> = {}): RampRun {
  const plan = GUARD_CONFIG.ramps['slowly'];
  if (plan === undefined) throw new Error('no plan');
  return {
    id: '22222222-2222-4222-8222-222222222222',
    cohort: 'beta',
    plan,
    status,
    step: 0,
    stepAt: AT,
    note: undefined,
    approved: false,
    actor: 'a',
    reason: 'r',
    startedAt: AT,
    endedAt: undefined,
    version: 1,
    ...more,
  };
}

export function sideOf(requests: readonly number[], failed = 0): SideRates {
  const counts = { stalled: 0, late: 0, compared: 0, mismatched: 0 };
  return {
    seconds: requests.map((count, index) => ({
      second: 1_000 + index,
      requests: count,
      failed: Math.min(failed, count),
      meanLatencyMs: count === 0 ? undefined : 10 + index,
      p50LatencyMs: count === 0 ? undefined : 8,
      p99LatencyMs: count === 0 ? undefined : 40,
    })),
    window: { requests: requests.reduce((sum, count) => sum + count, 0), failed, ...counts },
    kinds: failed === 0 ? {} : { status: failed },
  };
}

export function cohortGuardOf(cohort: string, more: Partial<CohortGuard> = {}): CohortGuard {
  return {
    cohort,
    stage: 'live',
    phase: 'armed',
    judgements: [],
    trip: undefined,
    ramp: undefined,
    legacy: sideOf([]),
    new: sideOf([]),
    mirrorBacklog: undefined,
    ...more,
  };
}

export class FakeGuard implements AdminGuard {
  list: CohortGuard[] = [cohortGuardOf('staff'), cohortGuardOf('beta', { stage: 'shadow', phase: 'idle' })];
  /** Newest first. */
  tripList: Trip[] = [tripOf(3), tripOf(2, { cohort: 'beta' }), tripOf(1)];
  runs: RampRun[] = [];
  dryRunAnswer: Partial<DryRun> = {};
  readonly asked: unknown[] = [];
  /** Every call fails with it. */
  failure: Error | undefined;
  readonly listeners = new Set<() => void>();

  async status(cohort?: string): Promise<readonly CohortGuard[]> {
    this.#fail();
    return this.list.filter((guard) => cohort === undefined || guard.cohort === cohort);
  }

  async trips(before: string | undefined, limit: number, cohort?: string): Promise<readonly Trip[]> {
    this.#fail();
    const of = this.tripList.filter((trip) => cohort === undefined || trip.cohort === cohort);
    const begin = before === undefined ? 0 : of.findIndex(({ id }) => id === before) + 1;
    return of.slice(begin, begin + limit);
  }

  async trip(id: string): Promise<Trip | undefined> {
    this.#fail();
    return this.tripList.find((trip) => trip.id === id);
  }

  async clear(cohort: string, author: GuardAuthor): Promise<Trip> {
    this.#fail();
    this.asked.push({ clear: cohort, ...author });
    const open = this.tripList.find((trip) => trip.cohort === cohort && trip.clearedAt === undefined);
    if (open === undefined) throw new GuardRefusedError(`nothing of cohort ${cohort} is tripped`);
    const cleared = { ...open, clearedAt: later(60_000), clearedBy: author.actor };
    this.tripList = this.tripList.map((trip) => (trip.id === open.id ? cleared : trip));
    return cleared;
  }

  async dryRun(request: DryRunRequest): Promise<DryRun> {
    this.#fail();
    this.asked.push(request);
    return {
      cohort: request.cohort,
      conditions: request.conditions ?? GUARD_CONFIG.conditions,
      slots: 0,
      from: undefined,
      to: undefined,
      trips: [],
      ...this.dryRunAnswer,
    };
  }

  async startRamp(cohort: string, plan: RampPlan, author: GuardAuthor): Promise<RampRun> {
    return this.#ramp('start', cohort, author, { plan, status: 'stepping', step: -1 });
  }

  async pauseRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ramp('pause', cohort, author, { status: 'paused', note: `paused by ${author.actor}` });
  }

  async resumeRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ramp('resume', cohort, author, { status: 'baking' });
  }

  async abortRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ramp('abort', cohort, author, { status: 'aborted', endedAt: later(1_000) });
  }

  async approveRamp(cohort: string, author: GuardAuthor): Promise<RampRun> {
    return this.#ramp('approve', cohort, author, { approved: true });
  }

  #ramp(action: string, cohort: string, author: GuardAuthor, more: Partial<RampRun>): RampRun {
    this.#fail();
    this.asked.push({ [action]: cohort, ...author, ...(more.plan === undefined ? {} : { plan: more.plan }) });
    const run = { ...(this.runs[0] ?? runOf('baking')), cohort, ...more };
    this.runs = [run];
    return run;
  }

  async ramps(cohort: string, limit: number): Promise<readonly RampRun[]> {
    this.#fail();
    return this.runs.filter((run) => run.cohort === cohort).slice(0, limit);
  }

  onTick(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
