/** The record of a trip in words: what was seen, how sure that is, and what followed. */
import type { Condition, Metric } from '../guard/condition.ts';
import type { Trip } from '../guard/guard-control.ts';
import { USER_GROUPS } from '../guard/slot.ts';
import { metricInWords } from '../guard/trip-in-words.ts';

const KINDS: Readonly<Record<string, string>> = {
  connect: 'refused or no connection',
  timeout: 'timeout',
  reset: 'connection lost',
  status: 'answered 5xx',
  overload: "the gateway's own queue full",
};

/** `4.2 %`, `812 ms`, `31`. */
export function metricValue(metric: Metric, value: number): string {
  switch (metric) {
    case 'errorRate':
    case 'stalledShare':
    case 'mismatchShare':
      return `${rounded(value * 100)} %`;
    case 'meanLatencyMs':
    case 'p50LatencyMs':
    case 'p90LatencyMs':
    case 'p99LatencyMs':
      return `${value >= 100 ? Math.round(value) : rounded(value)} ms`;
    case 'mirrorBacklog':
      return String(Math.round(value));
    default:
      metric satisfies never;
      throw new Error('a metric that is none');
  }
}

/** At most two decimals, none of them for nothing. */
function rounded(value: number): string {
  return String(Number(value.toFixed(value < 1 ? 2 : 1)));
}

function duration(ms: number): string {
  return ms < 10_000 ? `${rounded(ms / 1000)} s` : `${Math.round(ms / 1000)} s`;
}

function thresholdOf({ metric, over, overLegacy }: Condition): string {
  const fixed = over === undefined ? undefined : metricValue(metric, over);
  const relative = overLegacy === undefined ? undefined : `${overLegacy} × what legacy has`;
  return [fixed, relative].filter((part) => part !== undefined).join(' and ');
}

/** What was measured, and against what. */
function measured({ condition, figures, path }: Trip): string[] {
  const { metric, windowMs, windows, confidence } = condition;
  const { value, lower, upper, threshold, legacyValue, requests, legacyRequests } = figures;
  const sentences: string[] = [];
  if (value !== undefined) {
    const against = threshold === undefined ? '' : `; more than ${metricValue(metric, threshold)} trips`;
    sentences.push(
      `In the last ${duration(windowMs)}, ${metricInWords(metric)} at new was ${metricValue(metric, value)} of ${requests} requests${against}.`,
    );
  }
  // The fast path is about the newest requests, and says nothing of the window as a whole.
  if (path === 'windows' && lower !== undefined && upper !== undefined) {
    sentences.push(
      `With ${rounded(confidence * 100)} % confidence it is between ${metricValue(metric, lower)} and ${metricValue(metric, upper)}.`,
    );
  }
  if (legacyValue !== undefined) {
    sentences.push(
      `legacy had ${metricValue(metric, legacyValue)} in the same time, of ${legacyRequests} requests.`,
    );
  }
  sentences.push(
    path === 'overwhelming'
      ? 'The newest of them were overwhelming evidence, whatever came before: it did not wait for whole windows.'
      : `It was shown in ${figures.windowsOver} of the last ${windows.of} windows; ${windows.over} are needed.`,
  );
  return sentences;
}

function kindsOf(kinds: Trip['figures']['kinds']): string[] {
  const parts = Object.entries(kinds)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} × ${KINDS[kind] ?? kind}`);
  return parts.length === 0 ? [] : [`What failed: ${parts.join(', ')}.`];
}

function reporters({ gateways, apart }: Trip['figures']): string[] {
  const named = gateways.length > 8 ? `${gateways.length} gateways` : gateways.join(', ');
  const told = gateways.length === 0 ? [] : [`Told by ${named}.`];
  if (apart?.gateway !== undefined) told.push(`Without gateway ${apart.gateway} it does not hold.`);
  if (apart?.userGroups !== undefined && apart.userGroups.length > 0) {
    told.push(`Without ${apart.userGroups.length} of the ${USER_GROUPS} groups of users it does not hold.`);
  }
  return told;
}

function whatFollowed(trip: Trip): string[] {
  const { action, cohort, change, inForceAt, trippedAt, firstBadAt, note, clearedAt, clearedBy } = trip;
  const sentences: string[] = [];
  if (action === 'warn') sentences.push('Nobody was moved: this condition only warns.');
  if (action === 'hold') sentences.push('Nobody was moved: this condition stops the ramp where it is.');
  if (action === 'rollback' && inForceAt !== undefined) {
    const first = firstBadAt === undefined ? undefined : inForceAt.getTime() - firstBadAt.getTime();
    const since = first === undefined ? '' : `, ${duration(first)} after the first failure that counted`;
    sentences.push(
      `${cohort} was back on legacy everywhere ${duration(inForceAt.getTime() - trippedAt.getTime())} after the trip${since}.`,
    );
  } else if (action === 'rollback') {
    const by = change === undefined ? '' : ` by change ${change}`;
    sentences.push(`${cohort} is not back on legacy everywhere yet; it goes back${by}.`);
  }
  if (note !== undefined) sentences.push(sentence(note));
  if (clearedAt !== undefined) {
    sentences.push(`Cleared by ${clearedBy ?? 'somebody'} at ${clearedAt.toISOString()}.`);
  } else if (action === 'rollback') {
    sentences.push('It stays there until a person clears it.');
  }
  return sentences;
}

function sentence(words: string): string {
  const whole = /[.!?]$/u.test(words) ? words : `${words}.`;
  return whole.slice(0, 1).toUpperCase() + whole.slice(1);
}

/** In order: what tripped, what was measured, what failed, who told, what followed. */
export function tripSentences(trip: Trip): readonly string[] {
  const { cohort, stage, condition, trippedAt, figures } = trip;
  return [
    `At ${trippedAt.toISOString()} the condition ${condition.name} (over ${thresholdOf(condition)}) tripped for cohort ${cohort}, which was at ${stage}.`,
    ...measured(trip),
    ...kindsOf(figures.kinds),
    ...reporters(figures),
    ...whatFollowed(trip),
  ];
}
