/** What the API says of the guard: the shapes, and how they follow from what is known. `null` is what there is none of. */
import { type Static, Type } from '@sinclair/typebox';
import {
  type Condition,
  type Figures,
  GUARD_ACTIONS,
  type Judgement,
  METRICS,
  type Verdict,
} from '../guard/condition.ts';
import type { CohortGuard, DryRun, GuardPhase, SideRates, Trip } from '../guard/guard-control.ts';
import { STAGES } from '../model.ts';
import { Nullable, Word } from './control-documents.ts';
import { PlanSchema, RampRunSchema, rampRunDocument } from './ramp-documents.ts';
import { Count, Time } from './report-documents.ts';
import { tripSentences } from './trip-sentences.ts';

const PATHS = ['overwhelming', 'windows'] as const satisfies readonly Trip['path'][];
const VERDICTS = ['healthy', 'uncertain', 'no-data', 'tripped'] as const satisfies readonly Verdict[];
const PHASES = ['armed', 'idle', 'tripped', 'cooling'] as const satisfies readonly GuardPhase[];
export const ConditionSchema = Type.Object({
  name: Type.String(),
  metric: Word(METRICS),
  over: Nullable(Type.Number()),
  overLegacy: Nullable(Type.Number()),
  windowMs: Count,
  minRequests: Count,
  windows: Type.Object({ over: Count, of: Count }),
  confidence: Type.Number(),
  action: Word(GUARD_ACTIONS),
  /** `null`: every cohort. */
  cohorts: Nullable(Type.Array(Type.String())),
});
export type ConditionDocument = Static<typeof ConditionSchema>;

const Kinds = Type.Record(Type.String(), Count);

const FiguresSchema = Type.Object({
  /** In the metric's unit: a share of 0 to 1, milliseconds, a number of writes. */
  value: Nullable(Type.Number()),
  lower: Nullable(Type.Number()),
  upper: Nullable(Type.Number()),
  legacyValue: Nullable(Type.Number()),
  threshold: Nullable(Type.Number()),
  requests: Count,
  legacyRequests: Count,
  windowsOver: Count,
  /** Logarithm of the evidence against the threshold. */
  evidence: Type.Number(),
  kinds: Kinds,
  gateways: Type.Array(Type.String()),
  /** Without whom the condition does not hold; `null`: nobody. */
  apart: Nullable(
    Type.Object({ gateway: Nullable(Type.String()), userGroups: Nullable(Type.Array(Type.Integer())) }),
  ),
});
export type FiguresDocument = Static<typeof FiguresSchema>;

const JudgementSchema = Type.Object({
  condition: ConditionSchema,
  verdict: Word(VERDICTS),
  path: Nullable(Word(PATHS)),
  figures: FiguresSchema,
});
export type JudgementDocument = Static<typeof JudgementSchema>;

export const TripSchema = Type.Object({
  id: Type.String(),
  cohort: Type.String(),
  condition: ConditionSchema,
  action: Word(GUARD_ACTIONS),
  path: Word(PATHS),
  figures: FiguresSchema,
  /** Of the cohort, when it tripped. */
  stage: Word(STAGES),
  firstBadAt: Nullable(Time),
  trippedAt: Time,
  /** The change that went back. */
  change: Nullable(Type.String()),
  inForceAt: Nullable(Time),
  /** From the trip until the cohort was back everywhere. */
  untilInForceMs: Nullable(Type.Number()),
  /** From the first failure that counted until then. */
  sinceFirstBadMs: Nullable(Type.Number()),
  note: Nullable(Type.String()),
  clearedAt: Nullable(Time),
  clearedBy: Nullable(Type.String()),
  notifiedAt: Nullable(Time),
  /** The record in words, in order. */
  sentences: Type.Array(Type.String()),
});
export type TripDocument = Static<typeof TripSchema>;

/** The answer to `clear`. */
export const ClearAnswerSchema = Type.Object({ ramp: Type.Null(), trip: TripSchema });
const SecondSchema = Type.Object({
  /** Of the clock that stamps the gateways' counts. */
  second: Type.Integer(),
  requests: Count,
  failed: Count,
  meanLatencyMs: Nullable(Type.Number()),
  p50LatencyMs: Nullable(Type.Number()),
  p99LatencyMs: Nullable(Type.Number()),
});
export type SecondDocument = Static<typeof SecondSchema>;

const SideSchema = Type.Object({
  /** Oldest first; one without requests may be absent. */
  seconds: Type.Array(SecondSchema),
  window: Type.Object({
    requests: Count,
    failed: Count,
    stalled: Count,
    late: Count,
    compared: Count,
    mismatched: Count,
  }),
  kinds: Kinds,
});
export type SideDocument = Static<typeof SideSchema>;

export const CohortGuardSchema = Type.Object({
  cohort: Type.String(),
  stage: Word(STAGES),
  phase: Word(PHASES),
  judgements: Type.Array(JudgementSchema),
  trip: Nullable(TripSchema),
  ramp: Nullable(RampRunSchema),
  legacy: SideSchema,
  new: SideSchema,
  mirrorBacklog: Nullable(Count),
});
export type CohortGuardDocument = Static<typeof CohortGuardSchema>;

export const GuardSchema = Type.Object({
  windowMs: Count,
  conditions: Type.Array(ConditionSchema),
  fallback: Type.Object({
    enabled: Type.Boolean(),
    share: Type.Number(),
    inFlightMin: Count,
    waitMs: Count,
  }),
  /** Plans of ramps by name. */
  plans: Type.Record(Type.String(), PlanSchema),
  /** In the order of the map. */
  cohorts: Type.Array(CohortGuardSchema),
});
export type GuardDocument = Static<typeof GuardSchema>;

export const DryRunSchema = Type.Object({
  cohort: Type.String(),
  conditions: Type.Array(ConditionSchema),
  /** Recorded seconds that were judged. */
  slots: Count,
  from: Nullable(Time),
  to: Nullable(Time),
  trips: Type.Array(
    Type.Object({ at: Time, condition: Type.String(), path: Word(PATHS), figures: FiguresSchema }),
  ),
});
export type DryRunDocument = Static<typeof DryRunSchema>;

const time = (at: Date | undefined): string | null => at?.toISOString() ?? null;

export function conditionDocument(condition: Condition): ConditionDocument {
  const { over, overLegacy, windows, cohorts, ...rest } = condition;
  return {
    ...rest,
    over: over ?? null,
    overLegacy: overLegacy ?? null,
    windows: { ...windows },
    cohorts: cohorts === undefined ? null : [...cohorts],
  };
}

function figuresDocument(figures: Figures): FiguresDocument {
  const { value, lower, upper, legacyValue, threshold, kinds, gateways, apart, ...rest } = figures;
  return {
    ...rest,
    value: value ?? null,
    lower: lower ?? null,
    upper: upper ?? null,
    legacyValue: legacyValue ?? null,
    threshold: threshold ?? null,
    kinds: { ...kinds },
    gateways: [...gateways],
    apart:
      apart === undefined
        ? null
        : {
            gateway: apart.gateway ?? null,
            userGroups: apart.userGroups === undefined ? null : [...apart.userGroups],
          },
  };
}

function judgementDocument({ condition, verdict, path, figures }: Judgement): JudgementDocument {
  return {
    condition: conditionDocument(condition),
    verdict,
    path: path ?? null,
    figures: figuresDocument(figures),
  };
}

function passed(from: Date | undefined, to: Date | undefined): number | null {
  return from === undefined || to === undefined ? null : to.getTime() - from.getTime();
}

export function tripDocument(trip: Trip): TripDocument {
  const { id, cohort, action, path, stage, firstBadAt, trippedAt, inForceAt } = trip;
  return {
    id,
    cohort,
    condition: conditionDocument(trip.condition),
    action,
    path,
    figures: figuresDocument(trip.figures),
    stage,
    firstBadAt: time(firstBadAt),
    trippedAt: trippedAt.toISOString(),
    change: trip.change ?? null,
    inForceAt: time(inForceAt),
    untilInForceMs: passed(trippedAt, inForceAt),
    sinceFirstBadMs: passed(firstBadAt, inForceAt),
    note: trip.note ?? null,
    clearedAt: time(trip.clearedAt),
    clearedBy: trip.clearedBy ?? null,
    notifiedAt: time(trip.notifiedAt),
    sentences: [...tripSentences(trip)],
  };
}

function sideDocument({ seconds, window, kinds }: SideRates): SideDocument {
  const { requests, failed, stalled, late, compared, mismatched } = window;
  return {
    seconds: seconds.map(({ meanLatencyMs, p50LatencyMs, p99LatencyMs, ...counts }) => ({
      ...counts,
      meanLatencyMs: meanLatencyMs ?? null,
      p50LatencyMs: p50LatencyMs ?? null,
      p99LatencyMs: p99LatencyMs ?? null,
    })),
    window: { requests, failed, stalled, late, compared, mismatched },
    kinds: Object.fromEntries(Object.entries(kinds)),
  };
}

export function cohortGuardDocument(guard: CohortGuard): CohortGuardDocument {
  const { cohort, stage, phase, judgements, trip, ramp } = guard;
  return {
    cohort,
    stage,
    phase,
    judgements: judgements.map(judgementDocument),
    trip: trip === undefined ? null : tripDocument(trip),
    ramp: ramp === undefined ? null : rampRunDocument(ramp),
    legacy: sideDocument(guard.legacy),
    new: sideDocument(guard.new),
    mirrorBacklog: guard.mirrorBacklog ?? null,
  };
}

export function dryRunDocument(run: DryRun): DryRunDocument {
  return {
    cohort: run.cohort,
    conditions: run.conditions.map(conditionDocument),
    slots: run.slots,
    from: time(run.from),
    to: time(run.to),
    trips: run.trips.map(({ at, condition, path, figures }) => ({
      at: at.toISOString(),
      condition,
      path,
      figures: figuresDocument(figures),
    })),
  };
}
