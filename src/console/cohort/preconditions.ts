/**
 * What should be so before users move to `new`, as met, not met, or not known. Nothing here is enforced: the API would
 * move them anyway, and a person may, knowing what is missing. Pure.
 */
import type { CohortDocument, GatewayDocument } from '../../admin/control-documents.ts';
import type { CohortReportDocument } from '../../admin/evidence-documents.ts';
import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import type { PlanDocument, RampRunDocument } from '../../admin/ramp-documents.ts';
import { printable } from '../../wording/printable.ts';
import { counted, formatCount, formatShare } from '../format.ts';

export type PreconditionState = 'met' | 'unmet' | 'unknown';

export interface Precondition {
  readonly key: 'match' | 'coverage' | 'backlog' | 'guard' | 'gateways' | 'turn';
  readonly title: string;
  readonly state: PreconditionState;
  /** The figures, and where it is not met, what is missing. */
  readonly says: string;
}

/** What is asked of the evidence. */
export interface Thresholds {
  /** Of compared reads, 0 to 1: the upper end of the interval has to be below. */
  readonly mismatchShareMax: number;
  /** Reads. */
  readonly comparedMin: number;
  /** Writes that wait to be mirrored. */
  readonly mirrorBacklogMax: number;
}

/** Where no plan says anything else. */
export const THRESHOLDS: Thresholds = { mismatchShareMax: 0.01, comparedMin: 1_000, mirrorBacklogMax: 0 };

/** What is known; what is not known yet is `undefined`. */
export interface Evidence {
  readonly cohort: Pick<CohortDocument, 'change'>;
  readonly report: Pick<CohortReportDocument, 'compared' | 'matched' | 'confirmed' | 'coverage'> | undefined;
  readonly guard: Pick<CohortGuardDocument, 'phase' | 'judgements' | 'trip' | 'mirrorBacklog'> | undefined;
  readonly gateways: readonly GatewayDocument[] | undefined;
}

type Gates = PlanDocument['gates'];
type Judged = Omit<Precondition, 'key' | 'title'>;

const NAMED_MAX = 3;

/**
 * The gates of the plan that is under way; else the strictest of those that are configured.
 *
 * @param plans of the configuration, by name
 */
export function thresholdsOf(
  plans: Readonly<Record<string, PlanDocument>>,
  run: RampRunDocument | null | undefined,
): Thresholds {
  const gates: Gates[] =
    run === null || run === undefined || run.endedAt !== null
      ? Object.values(plans).map((plan) => plan.gates)
      : [run.plan.gates];
  const known = (name: 'mismatchShareMax' | 'comparedMin' | 'mirrorBacklogMax'): number[] =>
    gates.flatMap((gate) => gate[name] ?? []);
  const shares = known('mismatchShareMax');
  const compared = known('comparedMin');
  const backlogs = known('mirrorBacklogMax');
  return {
    mismatchShareMax: shares.length === 0 ? THRESHOLDS.mismatchShareMax : Math.min(...shares),
    comparedMin: compared.length === 0 ? THRESHOLDS.comparedMin : Math.max(...compared),
    mirrorBacklogMax: backlogs.length === 0 ? THRESHOLDS.mirrorBacklogMax : Math.min(...backlogs),
  };
}

/**
 * @param movesToNew whether somebody's owner becomes `new`: only that needs evidence. Going back needs none; what it
 *   leaves behind is said elsewhere
 */
export function preconditions(
  evidence: Evidence,
  thresholds: Thresholds,
  movesToNew: boolean,
): Precondition[] {
  const always: Precondition[] = [
    { key: 'gateways', title: 'Gateways', ...gatewaysSay(evidence.gateways) },
    { key: 'turn', title: 'Its turn', ...turnSays(evidence.cohort.change) },
  ];
  if (!movesToNew) return always;
  return [
    { key: 'match', title: 'Match share', ...matchSays(evidence.report, thresholds) },
    { key: 'coverage', title: 'Coverage', ...coverageSays(evidence.report) },
    { key: 'backlog', title: 'Mirror backlog', ...backlogSays(evidence.guard, thresholds) },
    { key: 'guard', title: 'Guard', ...guardSays(evidence.guard) },
    ...always,
  ];
}

function matchSays(report: Evidence['report'], { mismatchShareMax, comparedMin }: Thresholds): Judged {
  if (report === undefined) return { state: 'unknown', says: 'The report is not known yet.' };
  const { compared, matched, confirmed } = report;
  if (compared === 0) {
    return { state: 'unknown', says: 'No read was compared in the last 7 days, so nothing is known.' };
  }
  const figures =
    `${formatShare(matched.share)} of ${counted(compared, 'compared read')} matched ` +
    `(95 % sure: ${formatShare(matched.low)} to ${formatShare(matched.high)})`;
  const allowed = `${formatShare(mismatchShareMax)} may be confirmed mismatches`;
  if (confirmed.low > mismatchShareMax) {
    return { state: 'unmet', says: `${figures}; ${formatShare(confirmed.share)} do not, and ${allowed}.` };
  }
  if (compared < comparedMin) {
    return { state: 'unknown', says: `${figures}; ${formatCount(comparedMin)} compared reads would tell.` };
  }
  if (confirmed.high > mismatchShareMax) {
    const upTo = `up to ${formatShare(confirmed.high)} may mismatch`;
    return { state: 'unknown', says: `${figures}; too few to be sure: ${upTo}, and ${allowed}.` };
  }
  return { state: 'met', says: `${figures}; surely at most ${formatShare(confirmed.high)} mismatch.` };
}

function coverageSays(report: Evidence['report']): Judged {
  if (report === undefined) return { state: 'unknown', says: 'The coverage is not known yet.' };
  const { rows, never } = report.coverage;
  if (never.length > 0) {
    return {
      state: 'unmet',
      says: `${counted(never.length, 'route')} never compared: ${named(never)}.`,
    };
  }
  const routes = new Set(rows.filter((row) => row.compared > 0).map((row) => row.route));
  if (routes.size === 0) {
    return {
      state: 'unknown',
      says: 'No route was compared. Routes are shadowed where the configuration says so.',
    };
  }
  return {
    state: 'met',
    says: `${counted(routes.size, 'route')} compared, none of those that are shadowed is missing.`,
  };
}

function backlogSays(guard: Evidence['guard'], { mirrorBacklogMax }: Thresholds): Judged {
  if (guard === undefined) {
    return { state: 'unknown', says: 'How many writes wait to be mirrored is not known yet.' };
  }
  const backlog = guard.mirrorBacklog;
  if (backlog === null) return { state: 'met', says: 'No writes are mirrored, so none waits.' };
  const wait = `${counted(backlog, 'write')} ${backlog === 1 ? 'waits' : 'wait'} to be mirrored`;
  if (backlog <= mirrorBacklogMax) return { state: 'met', says: `${wait}.` };
  return { state: 'unmet', says: `${wait}, ${formatCount(mirrorBacklogMax)} may.` };
}

function guardSays(guard: Evidence['guard']): Judged {
  if (guard === undefined) return { state: 'unknown', says: 'What the guard says is not known yet.' };
  if (guard.phase === 'tripped') {
    const by = guard.trip === null ? '' : ` by ${printable(guard.trip.condition.name)}`;
    return { state: 'unmet', says: `Tripped${by}: it goes nowhere until a person clears it.` };
  }
  const of = (verdict: string): string[] =>
    guard.judgements.filter((one) => one.verdict === verdict).map(({ condition }) => condition.name);
  const [tripped, uncertain, missing] = [of('tripped'), of('uncertain'), of('no-data')];
  if (tripped.length > 0) return { state: 'unmet', says: `Over its threshold: ${named(tripped)}.` };
  if (guard.phase === 'idle') {
    return {
      state: 'met',
      says: 'It did not trip. Nobody is served by new yet; it judges as soon as somebody is.',
    };
  }
  if (guard.judgements.length === 0) return { state: 'unknown', says: 'No condition watches this cohort.' };
  const open = [
    uncertain.length === 0 ? '' : `cannot tell yet: ${named(uncertain)}`,
    missing.length === 0 ? '' : `too few requests for ${named(missing)}`,
  ].filter((part) => part !== '');
  if (open.length > 0) return { state: 'unknown', says: `It ${open.join('; ')}.`.replace('It too', 'Too') };
  return {
    state: 'met',
    says: `Healthy: ${named(guard.judgements.map(({ condition }) => condition.name))}.`,
  };
}

function gatewaysSay(gateways: Evidence['gateways']): Judged {
  if (gateways === undefined || gateways.length === 0) {
    return { state: 'unknown', says: 'Which gateways there are is not known: the stores do not answer.' };
  }
  const absent = gateways.filter(({ state }) => state !== 'live');
  if (absent.length > 0) {
    const who = named(absent.map(({ where, state }) => `${where} (${state})`));
    return {
      state: 'unmet',
      says: `${absent.length} of ${counted(gateways.length, 'gateway')} not live: ${who}.`,
    };
  }
  const digests = new Set(gateways.flatMap(({ digest }) => digest ?? []));
  if (digests.size > 1) {
    return { state: 'unmet', says: 'The gateways have different configurations of routes or identity.' };
  }
  return { state: 'met', says: `${counted(gateways.length, 'gateway')} live, with the same configuration.` };
}

function turnSays(change: string | null): Judged {
  return change === null
    ? { state: 'met', says: 'None of this cohort is under way.' }
    : { state: 'unmet', says: `Change ${change} is not over yet. One at a time.` };
}

function named(names: readonly string[]): string {
  const first = names.slice(0, NAMED_MAX).map(printable).join(', ');
  return names.length > NAMED_MAX ? `${first} and ${names.length - NAMED_MAX} more` : first;
}
