import type { Ramp } from '../model.ts';

/** `12.5 %` or `1000 users`. */
export function rampInWords(ramp: Ramp): string {
  return ramp.kind === 'percent' ? `${ramp.buckets / 100} %` : `${ramp.count} users`;
}
