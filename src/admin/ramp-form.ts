/** A ramp as the API and the command line write it: `10%` of the users, or `1000` of them. The same as in YAML. */
import { RAMP_BUCKETS, type Ramp } from '../model.ts';

export const RAMP_COUNT_MAX = 1_000_000_000;
export const PERCENT = '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$';

/** @param form checked against the schema */
export function rampOf(form: number | string): Ramp {
  if (typeof form === 'number') return { kind: 'count', count: form };
  return { kind: 'percent', buckets: Math.round((Number(form.slice(0, -1)) * RAMP_BUCKETS) / 100) };
}

/** The other way around: what it returns is read as the same ramp. */
export function rampForm(ramp: Ramp): number | string {
  return ramp.kind === 'count' ? ramp.count : `${(ramp.buckets * 100) / RAMP_BUCKETS}%`;
}

/** `10%` or `1000`, as somebody types it. @returns `undefined` when it is neither */
export function parseRampForm(text: string): number | string | undefined {
  if (new RegExp(PERCENT, 'u').test(text)) return text;
  const count = Number(text);
  return /^\d{1,10}$/u.test(text) && count <= RAMP_COUNT_MAX ? count : undefined;
}

export function sameRamp(a: Ramp, b: Ramp): boolean {
  return rampForm(a) === rampForm(b);
}
