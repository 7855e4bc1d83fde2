/** Coverage and a cohort's report as the API writes them. */
import { type Static, Type } from '@sinclair/typebox';
import type { CohortGroup, CohortReport } from '../reports/cohort-report.ts';
import type { Coverage } from '../reports/coverage.ts';
import { Count, GroupSchema, groupDocument, ShareSchema, Time, time } from './report-documents.ts';

const Counts = Type.Record(Type.String(), Count);

export const CoverageSchema = Type.Object({
  from: Time,
  to: Time,
  rows: Type.Array(
    Type.Object({
      route: Type.String(),
      cohort: Type.String(),
      compared: Count,
      matched: ShareSchema,
      confirmed: Count,
      transient: Count,
      flapping: Count,
      unconfirmed: Count,
      noiseReads: Count,
      ungrouped: Count,
      skipped: Counts,
    }),
  ),
  never: Type.Array(Type.String()),
  notShadowed: Type.Array(Type.String()),
});
export type CoverageDocument = Static<typeof CoverageSchema>;

export function coverageDocument({ from, to, rows, never, notShadowed }: Coverage): CoverageDocument {
  return {
    from: time(from),
    to: time(to),
    rows: rows.map((row) => ({ ...row, skipped: { ...row.skipped } })),
    never: [...never],
    notShadowed: [...notShadowed],
  };
}

const QuantilesMs = { p50Ms: Type.Number(), p90Ms: Type.Number(), p99Ms: Type.Number() };

export const CohortReportSchema = Type.Object({
  cohort: Type.String(),
  madeAt: Time,
  from: Time,
  to: Time,
  compared: Count,
  matched: ShareSchema,
  confirmed: ShareSchema,
  transient: Count,
  flapping: Count,
  unconfirmed: Count,
  noiseReads: Count,
  skipped: Counts,
  groups: Type.Array(Type.Object({ ...GroupSchema.properties, inCohort: ShareSchema })),
  resolved: Count,
  hidden: Count,
  coverage: CoverageSchema,
  latencies: Type.Array(
    Type.Object({
      route: Type.String(),
      authoritative: Type.String(),
      pairs: Count,
      served: Type.Object({ ...QuantilesMs, meanMs: Type.Number() }),
      other: Type.Object({ ...QuantilesMs, meanMs: Type.Number() }),
      /** The other side minus the one that served, of one read. */
      difference: Type.Object(QuantilesMs),
    }),
  ),
  /** What the figures do not say, one sentence each. */
  unknown: Type.Array(Type.String()),
  /** All of it for people, where it was asked for. */
  markdown: Type.Optional(Type.String()),
});
export type CohortReportDocument = Static<typeof CohortReportSchema>;

export function cohortReportDocument(report: CohortReport): CohortReportDocument {
  const { groups, coverage, latencies, skipped, unknown, madeAt, from, to, ...figures } = report;
  return {
    ...figures,
    madeAt: time(madeAt),
    from: time(from),
    to: time(to),
    skipped: { ...skipped },
    groups: groups.map((group: CohortGroup) => ({ ...groupDocument(group), inCohort: group.inCohort })),
    coverage: coverageDocument(coverage),
    latencies: latencies.map(({ route, authoritative, figures: of }) => ({
      route,
      authoritative,
      pairs: of.pairs,
      served: of.authoritative,
      other: of.secondary,
      difference: of.difference,
    })),
    unknown: [...unknown],
  };
}
