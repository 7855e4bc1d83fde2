/** The judgement of one cohort: pure, the same slots and second give the same answer. How and why: docs/guard.md. */
import type { Condition, Figures, Judgement, Verdict } from './condition.ts';
import { History } from './history.ts';
import { capFor, lowerOf, type RequestMetric, requestsOf, upperOf, valueOf } from './measure.ts';
import type { Slot } from './slot.ts';
import { readSpan, type Span } from './span.ts';
import { Tally } from './tally.ts';
import { type Trip, type TripPath, tripOf } from './trip.ts';

/**
 * @param slots of one cohort, oldest first. A second without a slot has no requests. Those of the last
 * `windows.of` windows of each condition are looked at.
 * @param nowSecond of the clock of the slots; it ends the latest window
 * @returns one judgement for each condition, in their order
 */
export function judge(
  conditions: readonly Condition[],
  slots: readonly Slot[],
  nowSecond: number,
): Judgement[] {
  const history = new History(slots, nowSecond);
  return conditions.map((condition) => {
    const { metric } = condition;
    return metric === 'mirrorBacklog'
      ? judgeLevel(condition, history)
      : judgeRequests(condition, metric, history);
  });
}

/** Whether, and by which path, `judge` trips on the condition; without the figures, which are most of the work. */
export function tripPathOf(
  condition: Condition,
  slots: readonly Slot[],
  nowSecond: number,
): TripPath | undefined {
  const { metric } = condition;
  const history = new History(slots, nowSecond);
  if (metric === 'mirrorBacklog') return judgeLevel(condition, history).path;
  return tripOf(condition, readSpan(condition, metric, history)).path;
}

function judgeRequests(condition: Condition, metric: RequestMetric, history: History): Judgement {
  const { windowMs, confidence, minRequests } = condition;
  const span = readSpan(condition, metric, history);
  const trip = tripOf(condition, span);
  const latest = history.window('new', 0, windowMs);
  const legacy = history.window('legacy', 0, windowMs);
  const value = valueOf(metric, latest);
  const threshold = span.thresholds[0]?.trip;
  const capMs = capFor(threshold ?? condition.over ?? value ?? 1);
  const upper = upperOf(metric, latest, confidence, capMs);
  const requests = requestsOf(metric, latest);
  let verdict: Verdict = 'uncertain';
  if (trip.path !== undefined) verdict = 'tripped';
  else if (requests < Math.max(1, minRequests) || threshold === undefined) verdict = 'no-data';
  else if (isHealthy(condition, metric, history, span, value, upper)) verdict = 'healthy';
  return {
    condition,
    verdict,
    path: trip.path,
    figures: {
      value,
      lower: value === undefined ? undefined : lowerOf(metric, latest, confidence, capMs),
      upper,
      legacyValue: valueOf(metric, legacy),
      threshold,
      requests,
      legacyRequests: requestsOf(metric, legacy),
      ...shared(condition, history, trip),
    },
  };
}

/**
 * Shown by the latest window; or by all windows together while the latest is measured to be good, so that a few requests
 * a second are enough.
 */
function isHealthy(
  { windowMs, windows, confidence }: Condition,
  metric: RequestMetric,
  history: History,
  span: Span,
  value: number | undefined,
  upper: number | undefined,
): boolean {
  const healthy = span.thresholds[0]?.healthy;
  if (healthy === undefined || value === undefined || value > healthy) return false;
  if (upper !== undefined && upper <= healthy) return true;
  const all = new Tally();
  for (let window = 0; window < windows.of; window += 1) {
    all.addTally(history.window('new', window, windowMs));
  }
  const most = upperOf(metric, all, confidence, capFor(healthy));
  return most !== undefined && most <= healthy;
}

/** A level is known, not estimated: it has N of M windows, and no fast path. */
function judgeLevel(condition: Condition, history: History): Judgement {
  const { over, windowMs, windows } = condition;
  const levels = levelsOf(condition, history);
  const value = levels[0];
  const isOver = (level: number | undefined): boolean =>
    level !== undefined && over !== undefined && level > over;
  const windowsOver = levels.filter(isOver).length;
  let verdict: Verdict = 'healthy';
  if (value === undefined || over === undefined) verdict = 'no-data';
  else if (isOver(value)) verdict = windowsOver >= windows.over ? 'tripped' : 'uncertain';
  const path = verdict === 'tripped' ? 'windows' : undefined;
  return {
    condition,
    verdict,
    path,
    figures: {
      value,
      lower: value,
      upper: value,
      legacyValue: undefined,
      threshold: over,
      requests: history.window('new', 0, windowMs).requests,
      legacyRequests: history.window('legacy', 0, windowMs).requests,
      ...shared(condition, history, { path, evidence: 0, windowsOver, apart: undefined }),
    },
  };
}

/** The last known level in each window, the latest window first. */
function levelsOf({ windowMs, windows }: Condition, history: History): (number | undefined)[] {
  const levels = Array.from({ length: windows.of }, (): number | undefined => undefined);
  for (const slot of history.newestFirst.slice(0, history.last(windows.of, windowMs))) {
    levels[history.windowOf(slot, windowMs)] ??= slot.mirrorBacklog;
  }
  return levels;
}

function shared(
  { windowMs }: Condition,
  history: History,
  { evidence, windowsOver, apart }: Trip,
): Pick<Figures, 'windowsOver' | 'evidence' | 'kinds' | 'gateways' | 'apart'> {
  return { windowsOver, evidence, apart, ...history.reported(windowMs) };
}
