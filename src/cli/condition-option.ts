/** A condition as somebody types it: `errorRate:2%`, `p99LatencyMs:800,x1.5,window=60s,min=20`. */
import { InvalidArgumentError } from 'commander';
import { METRICS, type Metric } from '../guard/condition.ts';
import { spanMs } from './duration.ts';

export const CONDITION_HELP =
  'METRIC:OVER, such as errorRate:2% or p99LatencyMs:800; more with commas: xFACTOR of what legacy has, window=60s, min=20, windows=2/3, confidence=0.95, name=NAME';

/** As the API takes it. */
export interface ConditionForm {
  readonly metric: Metric;
  name?: string;
  over?: number;
  overLegacy?: number;
  windowMs?: number;
  minRequests?: number;
  windows?: { readonly over: number; readonly of: number };
  confidence?: number;
}

function numberOf(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError(`${what} is a number: ${CONDITION_HELP}.`);
  }
  return value;
}

function thresholdOf(text: string): number {
  return text.endsWith('%') ? numberOf(text.slice(0, -1), 'A share') / 100 : numberOf(text, 'A threshold');
}

function addPart(form: ConditionForm, part: string): void {
  const at = part.indexOf('=');
  if (at < 0) {
    if (/^x\d/u.test(part)) form.overLegacy = numberOf(part.slice(1), 'A factor');
    else form.over = thresholdOf(part);
    return;
  }
  const [key, value] = [part.slice(0, at), part.slice(at + 1)];
  switch (key) {
    case 'name':
      form.name = value;
      return;
    case 'window':
      form.windowMs = spanMs(value);
      return;
    case 'min':
      form.minRequests = numberOf(value, 'min');
      return;
    case 'confidence':
      form.confidence = numberOf(value, 'confidence');
      return;
    case 'windows': {
      const [over = '', of = ''] = value.split('/');
      form.windows = { over: numberOf(over, 'windows'), of: numberOf(of, 'windows') };
      return;
    }
    default:
      throw new InvalidArgumentError(`There is no ${key} of a condition: ${CONDITION_HELP}.`);
  }
}

/** @throws InvalidArgumentError, naming the known metrics for one that is none */
export function parseCondition(text: string): ConditionForm {
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  const metric = METRICS.find((known) => known === word);
  if (metric === undefined) {
    throw new InvalidArgumentError(`There is no metric ${word}: it is one of ${METRICS.join(', ')}.`);
  }
  const form: ConditionForm = { metric };
  const parts = colon < 0 ? [] : text.slice(colon + 1).split(',');
  for (const part of parts) addPart(form, part.trim());
  if (form.over === undefined && form.overLegacy === undefined) {
    throw new InvalidArgumentError(`${metric} over what? ${CONDITION_HELP}.`);
  }
  return form;
}

export function collectCondition(text: string, before: readonly ConditionForm[] = []): ConditionForm[] {
  return [...before, parseCondition(text)];
}
