/** The evidence on one cohort, as one would attach it to a change ticket. Pure. */
import { type Coverage, type CoverageOfRoute, type RouteLatency } from './coverage.ts';
import { byImportance, type JudgedGroup } from './judged-group.ts';
import { type CountedReads, NO_COHORT } from './report-store.ts';
import { ruleOfThree, type Share, shareOf } from './statistics.ts';

export interface CohortGroup extends JudgedGroup {
  /** Reads of this cohort with the difference, of those of the route that were compared since its counts began. */
  readonly inCohort: Share;
}

export interface CohortReport {
  readonly cohort: string;
  readonly madeAt: number;
  readonly from: number;
  readonly to: number;
  readonly compared: number;
  readonly matched: Share;
  /** Reads with a confirmed difference, noise included. */
  readonly confirmed: Share;
  readonly transient: number;
  readonly flapping: number;
  readonly unconfirmed: number;
  readonly noiseReads: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Reported and unproven ones that are not resolved, by weight. */
  readonly groups: readonly CohortGroup[];
  readonly resolved: number;
  /** Groups of the cohort that are noise, or were never confirmed. */
  readonly hidden: number;
  readonly coverage: Coverage;
  readonly latencies: readonly RouteLatency[];
  /** What these figures do not say, one sentence each. */
  readonly unknown: readonly string[];
}

export interface CohortEvidence {
  readonly cohort: string;
  readonly madeAt: number;
  readonly coverage: Coverage;
  readonly latencies: readonly RouteLatency[];
  readonly groups: readonly JudgedGroup[];
  /** Of the cohort, since the first of its groups; oldest first. */
  readonly counted: readonly CountedReads[];
}

const HOUR_MS = 3_600_000;

export function cohortReport(evidence: CohortEvidence): CohortReport {
  const { cohort, madeAt, coverage, latencies, counted } = evidence;
  const { rows } = coverage;
  const sum = (column: 'compared' | 'confirmed' | 'transient' | 'flapping' | 'unconfirmed' | 'noiseReads') =>
    rows.reduce((total, row) => total + row[column], 0);
  const compared = sum('compared');
  const all = evidence.groups.map((group) => ({ ...group, inCohort: shareInCohort(group, cohort, counted) }));
  const isShown = ({ judgement }: JudgedGroup) =>
    judgement.kind === 'reported' || judgement.kind === 'unproven';
  const shown = all.filter(isShown);
  const report = {
    cohort,
    madeAt,
    from: coverage.from,
    to: coverage.to,
    compared,
    matched: shareOf(
      rows.reduce((total, { matched }) => total + matched.count, 0),
      compared,
    ),
    confirmed: shareOf(sum('confirmed'), compared),
    transient: sum('transient'),
    flapping: sum('flapping'),
    unconfirmed: sum('unconfirmed'),
    noiseReads: sum('noiseReads'),
    skipped: addUp(rows.map(({ skipped }) => skipped)),
    groups: shown.filter(({ status }) => status !== 'resolved').sort(byCohortImportance),
    resolved: shown.filter(({ status }) => status === 'resolved').length,
    hidden: all.length - shown.length,
    coverage,
    latencies,
  };
  return { ...report, unknown: unknownOf(report) };
}

function byCohortImportance(a: CohortGroup, b: CohortGroup): number {
  if (a.judgement.kind !== b.judgement.kind) return byImportance(a, b);
  return b.weight * b.inCohort.low - a.weight * a.inCohort.low || byImportance(a, b);
}

/** Hours are the finest that is kept: the hour in which the group's counts began counts whole. */
function shareInCohort(group: JudgedGroup, cohort: string, counted: readonly CountedReads[]): Share {
  const from = Math.floor(group.countedFrom / HOUR_MS) * HOUR_MS;
  const compared = counted
    .filter(({ route, at }) => route === group.route && at >= from)
    .reduce((total, reads) => total + reads.compared, 0);
  const { raw = 0 } = group.cohorts[cohort] ?? {};
  return shareOf(raw, Math.max(raw, compared));
}

function addUp(records: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [name, count] of records.flatMap((record) => Object.entries(record))) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...sums].sort(([, a], [, b]) => b - a));
}

/** Fewer reads than this say little of a route. */
const FEW_READS = 300;
/** A share of skipped reads that may hide something. */
const MANY_SKIPPED = 0.05;

function unknownOf(report: Omit<CohortReport, 'unknown'>): readonly string[] {
  const { coverage, compared } = report;
  const sentences: string[] = [];
  if (compared === 0)
    return [`No read of ${nameOf(report.cohort)} was compared in this time: nothing is known.`];
  const { never, notShadowed, rows } = coverage;
  if (never.length > 0) sentences.push(`Never compared: ${list(never)}. Nothing is known of these routes.`);
  if (notShadowed.length > 0) {
    sentences.push(`Not compared because their configuration says so: ${list(notShadowed)}.`);
  }
  sentences.push(...fewReads(rows));
  const skipped = Object.values(report.skipped).reduce((total, count) => total + count, 0);
  if (skipped / (skipped + compared) > MANY_SKIPPED) {
    const share = percent(skipped / (skipped + compared));
    sentences.push(
      `${skipped} reads that were due were skipped, ${share} of them: whether those match is not known.`,
    );
  }
  const ungrouped = rows.reduce((total, row) => total + row.ungrouped, 0);
  if (ungrouped > 0) {
    sentences.push(
      `${ungrouped} reads had differences for which no group was kept, because there were too many.`,
    );
  }
  const noNoise = rows.filter((row) => row.compared > 0 && row.noiseReads === 0).map(({ route }) => route);
  if (noNoise.length > 0) {
    sentences.push(
      `No read was repeated for noise on ${list(noNoise)}: what is random there is not known yet.`,
    );
  }
  const unproven = report.groups.filter(({ judgement }) => judgement.kind === 'unproven').length;
  if (unproven > 0)
    sentences.push(`${unproven} of the groups are not proven yet: too few reads tell them from noise.`);
  if (report.unconfirmed > 0) {
    sentences.push(`${report.unconfirmed} reads with a difference could not be read again.`);
  }
  sentences.push('Writes are not compared; only what reads show of them is.');
  return sentences;
}

function fewReads(rows: readonly CoverageOfRoute[]): string[] {
  return rows
    .filter(({ compared }) => compared > 0 && compared < FEW_READS)
    .map(({ route, compared }) => {
      const bound = percent(ruleOfThree(compared));
      return `${route}: ${compared} compared reads; a difference in less than ${bound} of reads may not have shown.`;
    });
}

function nameOf(cohort: string): string {
  return cohort === NO_COHORT ? 'requests without a cohort' : `cohort ${cohort}`;
}

const LISTED_MAX = 20;

function list(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return `${names.slice(0, LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** As people write a share: 12.3 %, 0.04 %. */
export function percent(share: number): string {
  const hundredfold = share * 100;
  if (hundredfold === 0 || hundredfold >= 99.995) return `${Math.round(hundredfold)} %`;
  return `${hundredfold >= 1 ? Number(hundredfold.toFixed(2)) : Number(hundredfold.toPrecision(2))} %`;
}
