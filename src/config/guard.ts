/**
 * The guard's conditions, hooks and plans: what their shape alone cannot say.
 */
import type { Metric } from '../guard/condition.ts';
import { type ConditionWritten, type HookSettings, SHORT_METRICS } from '../guard/guard-settings.ts';
import { stepOutOfOrder } from '../guard/ramp-order.ts';
import type { RampPlan } from '../guard/ramp-plan.ts';
import { readHttpUrl } from './backends.ts';
import type { HookWritten, RampPlanWritten } from './guard-schema.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import { readRamp } from './rule.ts';
import { readSecretFile } from './secret-file.ts';

const SECRET_BYTES_MIN = 16;
const LATENCY_MAX_MS = 3_600_000;

/** What a threshold may be, in the metric's own unit, and whether legacy has it too. */
const THRESHOLDS: Readonly<Record<Metric, { readonly max: number; readonly legacyHasIt: boolean }>> = {
  errorRate: { max: 1, legacyHasIt: true },
  meanLatencyMs: { max: LATENCY_MAX_MS, legacyHasIt: true },
  p50LatencyMs: { max: LATENCY_MAX_MS, legacyHasIt: true },
  p90LatencyMs: { max: LATENCY_MAX_MS, legacyHasIt: true },
  p99LatencyMs: { max: LATENCY_MAX_MS, legacyHasIt: true },
  stalledShare: { max: 1, legacyHasIt: true },
  mismatchShare: { max: 1, legacyHasIt: false },
  mirrorBacklog: { max: 1_000_000_000, legacyHasIt: false },
};

/** What is wrong with a condition of the right shape, by the key that has it; nothing for one that can be judged. */
export function conditionProblems(
  written: ConditionWritten,
): readonly { readonly key: string; readonly message: string }[] {
  const { metric, over, overLegacy, windows } = written;
  const { max, legacyHasIt } = THRESHOLDS[metric];
  const problems: { key: string; message: string }[] = [];
  if (over === undefined && overLegacy === undefined) {
    const also = legacyHasIt ? ', `overLegacy` (a factor of what legacy has), or both' : '';
    problems.push({ key: 'over', message: `missing; expected \`over\` (a threshold)${also}` });
  }
  if (overLegacy !== undefined && !legacyHasIt) {
    problems.push({ key: 'overLegacy', message: `legacy has no ${metric} to compare with; use \`over\`` });
  }
  if (over !== undefined && over > max) {
    const unit = max === 1 ? 'a share' : max === LATENCY_MAX_MS ? 'milliseconds' : 'a number of writes';
    problems.push({ key: 'over', message: `${metric} is ${unit}; expected a number from 0 to ${max}` });
  }
  if (windows !== undefined && windows.over > windows.of) {
    problems.push({ key: 'windows', message: '`over` is at most `of`: so many of the last `of` windows' });
  }
  return problems;
}

/** @returns the condition; `undefined` if it has a problem, reported */
export function readCondition(
  written: ConditionWritten,
  place: Place,
  { report }: Reading,
): ConditionWritten | undefined {
  const problems = conditionProblems(written);
  for (const { key, message } of problems) report.problem([...place, key], message);
  return problems.length === 0 ? written : undefined;
}

/** The names of conditions tell trips apart. */
export function checkConditionsTogether(
  conditions: readonly (ConditionWritten | undefined)[],
  place: Place,
  { report }: Reading,
): void {
  const written = new Map<string, number>();
  conditions.forEach((condition, index) => {
    if (condition === undefined) return;
    const name = condition.name ?? condition.metric;
    const other = written.get(name);
    if (other !== undefined) {
      report.problem(
        [...place, index, 'name'],
        `conditions[${other}] is named \`${name}\` too; give one of them another \`name\``,
      );
    }
    written.set(name, index);
  });
  for (const metric of SHORT_METRICS) {
    const index = written.get(metric);
    const isReplaced = conditions.some((other) => other?.metric === metric && other.cohorts === undefined);
    if (index === undefined || isReplaced) continue;
    report.problem(
      [...place, index, 'name'],
      `\`${metric}\` is the condition that the guard has for every cohort; give this one another \`name\``,
    );
  }
}

/** @returns the hook; `undefined` if it has a problem, reported */
export function readHook(written: HookWritten, place: Place, { report }: Reading): HookSettings | undefined {
  const url = readHttpUrl(written.url, [...place, 'url'], report);
  if (written.secret !== undefined && written.secretFile !== undefined) {
    report.problem(place, 'expected at most one of secret, secretFile; found both');
    return undefined;
  }
  const inner = [...place, written.secret === undefined ? 'secretFile' : 'secret'];
  const secret =
    written.secretFile === undefined ? written.secret : readSecretFile(written.secretFile, inner, report);
  if (secret === undefined && written.secretFile !== undefined) return undefined;
  const bytes = secret === undefined ? SECRET_BYTES_MIN : Buffer.byteLength(secret);
  if (bytes < SECRET_BYTES_MIN) {
    report.problem(inner, `expected a secret of at least ${SECRET_BYTES_MIN} bytes; found ${bytes}`);
    return undefined;
  }
  return url === undefined ? undefined : { url: url.href, secret, events: written.events };
}

/** Two hooks of one address would tell everything twice. */
export function checkHooksTogether(
  hooks: readonly (HookSettings | undefined)[],
  place: Place,
  { report }: Reading,
): void {
  const first = new Map<string, number>();
  hooks.forEach((hook, index) => {
    if (hook === undefined) return;
    const other = first.get(hook.url);
    if (other === undefined) first.set(hook.url, index);
    else report.problem([...place, index, 'url'], `the same address as hooks[${other}]`);
  });
}

const PLAN_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** @returns the plan; `undefined` if it has a problem, reported */
export function readPlan(written: RampPlanWritten, place: Place, { report }: Reading): RampPlan | undefined {
  if (!PLAN_NAME.test(String(place.at(-1)))) {
    report.problem(
      place,
      'the name of a plan is 1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit',
    );
    return undefined;
  }
  const plan = planOf(written);
  const wrong = stepOutOfOrder(plan.steps.map(({ ramp }) => ramp));
  if (wrong === undefined) return plan;
  report.problem([...place, 'steps', wrong.index, 'ramp'], wrong.why);
  return undefined;
}

/** A plan as it is written, made of the same terms as the configuration's. Whether its steps grow is not looked at. */
export function planOf({ steps, gates, automatic }: RampPlanWritten): RampPlan {
  return {
    steps: steps.map(({ ramp, bakeMs }) => ({ ramp: readRamp(ramp), bakeMs })),
    gates: {
      guard: gates.guard === 'any' ? undefined : gates.guard,
      mismatchShareMax: gates.mismatchShareMax,
      comparedMin: gates.comparedMin,
      mirrorBacklogMax: gates.mirrorBacklogMax,
    },
    automatic,
  };
}
