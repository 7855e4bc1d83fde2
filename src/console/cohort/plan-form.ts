/** A plan of a ramp as somebody fills it in, and what the API is sent. Pure. */
import { parseRampForm, rampOf } from '../../admin/ramp-form.ts';
import { RAMP_BUCKETS } from '../../model.ts';

export interface PlanFields {
  /** `100, 1000, 10%, 100%` */
  readonly steps: string;
  readonly bakeMinutes: string;
  /** Percent of compared reads; empty: does not matter. */
  readonly mismatchPercentMax: string;
  readonly comparedMin: string;
  readonly guard: 'healthy' | 'not-tripped' | 'any';
  readonly automatic: boolean;
}

export const PLAN_FIELDS: PlanFields = {
  steps: '1%, 10%, 50%, 100%',
  bakeMinutes: '10',
  mismatchPercentMax: '1',
  comparedMin: '1000',
  guard: 'healthy',
  automatic: false,
};

/** As `POST /api/v1/cohorts/:name/ramp` takes it. */
export interface PlanBody {
  readonly steps: readonly { readonly ramp: number | string; readonly bakeMs: number }[];
  readonly gates: {
    readonly guard: PlanFields['guard'];
    readonly mismatchShareMax?: number;
    readonly comparedMin?: number;
  };
  readonly automatic: boolean;
}

type Problems = Partial<Record<keyof PlanFields, string>>;

export type ReadPlan =
  | { readonly plan: PlanBody; readonly problems: undefined }
  | { readonly plan: undefined; readonly problems: Problems };

const STEPS_MAX = 100;
const BAKE_MINUTES_MAX = 30 * 24 * 60;
const COMPARED_MAX = 1_000_000_000;

/** All problems at once, each with its field. */
export function readPlan(fields: PlanFields): ReadPlan {
  const problems: Problems = {};
  const ramps = stepsOf(fields.steps);
  if (typeof ramps === 'string') problems.steps = ramps;
  const minutes = decimal(fields.bakeMinutes, 0, BAKE_MINUTES_MAX);
  if (minutes === undefined) problems.bakeMinutes = 'Minutes, from 0 to 43,200 (30 days).';
  const percent = optional(fields.mismatchPercentMax, 0, 100);
  if (percent === 'wrong') problems.mismatchPercentMax = 'A share from 0 to 100 %, or nothing.';
  const compared = optional(fields.comparedMin, 0, COMPARED_MAX);
  if (compared === 'wrong' || (compared !== undefined && !Number.isInteger(compared))) {
    problems.comparedMin = 'A whole number of reads, or nothing.';
  }
  if (
    typeof ramps === 'string' ||
    minutes === undefined ||
    percent === 'wrong' ||
    compared === 'wrong' ||
    Object.keys(problems).length > 0
  ) {
    return { plan: undefined, problems };
  }
  const bakeMs = Math.round(minutes * 60_000);
  return {
    plan: {
      steps: ramps.map((ramp) => ({ ramp, bakeMs })),
      gates: {
        guard: fields.guard,
        // Percent as typed: 0.1 / 100 is not quite 0.001 in binary, and is shown to people again.
        ...(percent === undefined ? {} : { mismatchShareMax: Number((percent / 100).toPrecision(12)) }),
        ...(compared === undefined ? {} : { comparedMin: compared }),
      },
      automatic: fields.automatic,
    },
    problems: undefined,
  };
}

/** @returns the steps, or what is wrong with them */
function stepsOf(text: string): readonly (number | string)[] | string {
  const words = text
    .split(',')
    .map((word) => word.trim().replace(/\s+%$/u, '%'))
    .filter((word) => word !== '');
  if (words.length === 0) return 'At least one step, such as 10%.';
  if (words.length > STEPS_MAX) return `At most ${STEPS_MAX} steps.`;
  const ramps: (number | string)[] = [];
  for (const word of words) {
    const ramp = parseRampForm(word);
    if (ramp === undefined)
      return `"${word}" is no step: it is a share such as 10%, or a number of users such as 1000.`;
    const before = ramps.at(-1);
    if (before !== undefined && !grows(before, ramp)) {
      return `"${word}" is not more than the step before. Numbers of users come first, shares after them.`;
    }
    ramps.push(ramp);
  }
  return ramps;
}

function grows(before: number | string, after: number | string): boolean {
  const [a, b] = [rampOf(before), rampOf(after)];
  if (a.kind === 'count' && b.kind === 'count') return b.count > a.count;
  if (a.kind === 'percent' && b.kind === 'percent') return b.buckets > a.buckets && b.buckets <= RAMP_BUCKETS;
  return a.kind === 'count';
}

function decimal(text: string, min: number, max: number): number | undefined {
  const value = Number(text.trim());
  return /^\d{1,12}(\.\d{1,4})?$/u.test(text.trim()) && value >= min && value <= max ? value : undefined;
}

function optional(text: string, min: number, max: number): number | undefined | 'wrong' {
  if (text.trim() === '') return undefined;
  return decimal(text, min, max) ?? 'wrong';
}
