/** What was compared and what never was; the evidence on one cohort. */
import { Type } from '@sinclair/typebox';
import type { CohortReport } from '../reports/cohort-report.ts';
import { cohortReportMarkdown } from '../reports/cohort-report-markdown.ts';
import type { ControlAccess } from './control-access.ts';
import {
  type CohortReportDocument,
  CohortReportSchema,
  CoverageSchema,
  cohortReportDocument,
  coverageDocument,
} from './evidence-documents.ts';
import { refuseUnknownCohort } from './known-cohort.ts';
import type { ReportAccess } from './report-access.ts';
import type { AdminServer } from './type-provider.ts';

const DAY_MS = 86_400_000;
const DAYS_DEFAULT = 7;

export const CohortFilter = Type.String({
  maxLength: 256,
  description: 'Empty for requests without a cohort.',
});

const Days = Type.String({
  pattern: '^([1-9][0-9]{0,2})$',
  default: String(DAYS_DEFAULT),
  description: 'How many days to look back, 1 to 999.',
});

/** What the record has of any name, and of one that was never a cohort. */
function saysNothing({ coverage, groups, resolved, hidden }: CohortReport): boolean {
  return coverage.rows.length + groups.length + resolved + hidden === 0;
}

export function evidenceRoutes(server: AdminServer, access: ReportAccess, control: ControlAccess): void {
  server.get(
    '/api/v1/coverage',
    {
      config: { summary: 'What was compared how often, what was skipped and why, and what never was' },
      schema: {
        querystring: Type.Object(
          { days: Days, cohort: Type.Optional(CohortFilter) },
          { additionalProperties: false },
        ),
        response: { 200: CoverageSchema },
      },
    },
    async ({ query: { days, cohort } }) => {
      const coverage = await access.ask((reports) => reports.coverage(Number(days) * DAY_MS, cohort));
      if (cohort !== undefined && coverage.rows.length === 0) await refuseUnknownCohort(cohort, control);
      return coverageDocument(coverage);
    },
  );

  server.get(
    '/api/v1/cohorts/:name/report',
    {
      config: {
        summary: 'The evidence on one cohort, to attach to a change ticket',
        description:
          'As Markdown with `accept: text/markdown`. The evidence on a cohort that was deleted stays until it expires; ' +
          'of one that never was: 404.',
      },
      schema: {
        params: Type.Object({ name: Type.String({ minLength: 1, maxLength: 256 }) }),
        querystring: Type.Object(
          {
            days: Days,
            markdown: Type.Optional(
              Type.Literal('true', { description: 'The JSON has the Markdown in it, as `markdown`.' }),
            ),
          },
          { additionalProperties: false },
        ),
        // A text that is sent under another type is not looked at.
        response: { 200: Type.Unsafe<CohortReportDocument | string>(CohortReportSchema) },
      },
    },
    async ({ params, query, headers }, reply) => {
      const report = await access.ask((reports) => reports.report(params.name, Number(query.days) * DAY_MS));
      if (saysNothing(report)) await refuseUnknownCohort(params.name, control);
      reply.header('vary', 'accept');
      if (!/^\s*text\/markdown\b/i.test(headers.accept ?? '')) {
        const document = cohortReportDocument(report);
        return query.markdown === undefined
          ? document
          : { ...document, markdown: cohortReportMarkdown(report) };
      }
      reply.type('text/markdown; charset=utf-8');
      return cohortReportMarkdown(report);
    },
  );
}
