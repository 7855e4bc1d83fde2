/** Which gates keep a ramp from its next step. Pure. */
import { shareUpper } from './bounds.ts';
import type { Judgement } from './condition.ts';
import type { RampGates } from './ramp-plan.ts';

/** One-sided, of the share of mismatches. */
const CONFIDENCE = 0.95;

export interface GateEvidence {
  /** Of every condition that applies to the cohort, as it was judged just now. */
  readonly judgements: readonly Judgement[];
  /** Reads that were compared since the step, and confirmed mismatches among them. */
  readonly compared: number;
  readonly mismatched: number;
  /** `undefined`: nobody knows. */
  readonly mirrorBacklog: number | undefined;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function ofGuard(wanted: RampGates['guard'], judgements: readonly Judgement[]): string[] {
  if (wanted === undefined) return [];
  if (judgements.length === 0) return ['the guard has judged nothing: there is no condition for this cohort'];
  return judgements.flatMap(({ condition, verdict, figures }) => {
    const { name, minRequests } = condition;
    switch (verdict) {
      case 'healthy':
        return [];
      case 'tripped':
        return [`condition ${name} is over its threshold`];
      case 'no-data':
        return [`condition ${name} has no data: ${figures.requests} of ${minRequests} requests`];
      case 'uncertain':
        return wanted === 'healthy' ? [`condition ${name} is not shown to be healthy`] : [];
      default: {
        const unknown: never = verdict;
        return unknown;
      }
    }
  });
}

/** @returns for people, why the next step is not taken; nothing when every gate is met. No data is never enough */
export function unmetGates(gates: RampGates, evidence: GateEvidence): readonly string[] {
  const { mismatchShareMax, comparedMin, mirrorBacklogMax } = gates;
  const { compared, mismatched, mirrorBacklog } = evidence;
  const reasons = ofGuard(gates.guard, evidence.judgements);
  if (comparedMin !== undefined && compared < comparedMin)
    reasons.push(`${compared} of ${comparedMin} reads were compared since the step`);
  if (mismatchShareMax !== undefined) {
    // Confirmed some time after they were compared: the last ones may be counted before their reads.
    const upper = shareUpper(mismatched, Math.max(compared, mismatched), CONFIDENCE);
    if (compared === 0) reasons.push('no read was compared since the step');
    else if (upper > mismatchShareMax)
      reasons.push(
        `up to ${percent(upper)} of ${compared} compared reads may differ, ${percent(mismatchShareMax)} at most are allowed`,
      );
  }
  if (mirrorBacklogMax !== undefined) {
    if (mirrorBacklog === undefined) reasons.push('nobody knows how many writes wait to be mirrored');
    else if (mirrorBacklog > mirrorBacklogMax)
      reasons.push(`${mirrorBacklog} writes wait to be mirrored, ${mirrorBacklogMax} at most are allowed`);
  }
  return reasons;
}
