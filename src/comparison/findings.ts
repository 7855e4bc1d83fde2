/**
 * What one part of a comparison has found.
 */
import type { Difference, Uncompared } from './difference.ts';

export interface Findings {
  readonly differences: readonly Difference[];
  /** There are more differences than are listed. */
  readonly truncated: boolean;
  readonly coveredBy: ReadonlySet<string>;
  /** Why not everything was compared. */
  readonly uncompared: Uncompared | undefined;
}

export const NOTHING: Findings = Object.freeze({
  differences: [],
  truncated: false,
  coveredBy: new Set<string>(),
  uncompared: undefined,
});

export function found(difference: Difference): Findings {
  return { ...NOTHING, differences: [difference] };
}

export function covered(labels: ReadonlySet<string>): Findings {
  return labels.size === 0 ? NOTHING : { ...NOTHING, coveredBy: labels };
}

export function uncompared(reason: Uncompared): Findings {
  return { ...NOTHING, uncompared: reason };
}
