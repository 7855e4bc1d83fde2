/** The rules by which the answers of a route are compared: read, tried on stored samples, saved. */
import { type Static, Type } from '@sinclair/typebox';
import type { RuleProblem, RulesWritten } from '../comparison/rules-written.ts';
import type { RulesOfRoute, TriedRules } from '../reports/create-report-reader.ts';
import type { StoredRules } from '../reports/report-store.ts';
import { AdminError } from './admin-error.ts';
import type { ReportAccess } from './report-access.ts';
import type { AdminServer } from './type-provider.ts';

/** As the configuration has them under `compare`; checked by the comparison, which says what is wrong where. */
const Rules = Type.Unsafe<RulesWritten>(Type.Object({}, { additionalProperties: true }));
const Nothing = Type.Null();

const SavedSchema = Type.Object({
  version: Type.Integer(),
  rules: Type.Union([Rules, Nothing]),
  actor: Type.String(),
  reason: Type.String(),
  at: Type.String(),
});

export const RouteRulesSchema = Type.Object({
  route: Type.String(),
  /** `run-time`: saved ones, which replace the configured ones as a whole; `configuration`; `none`. */
  source: Type.String(),
  rules: Rules,
  configured: Type.Union([Rules, Nothing]),
  /** 0: none were ever saved. */
  version: Type.Integer(),
  /** Newest first; `rules: null` went back to the configuration. */
  history: Type.Array(SavedSchema),
});
export type RouteRulesDocument = Static<typeof RouteRulesSchema>;

export const TrialSchema = Type.Object({
  /** Samples that were looked at. */
  samples: Type.Integer(),
  /** `verdict`: `gone`, `stays`, `partly`, or `unknown` where the stored samples cannot tell. */
  groups: Type.Array(
    Type.Object({
      id: Type.String(),
      kind: Type.String(),
      where: Type.String(),
      status: Type.String(),
      verdict: Type.String(),
      gone: Type.Integer(),
      stays: Type.Integer(),
      unknown: Type.Integer(),
    }),
  ),
  /** What the rules in force cover and these do not. */
  appear: Type.Array(Type.Object({ where: Type.String(), kind: Type.String(), samples: Type.Integer() })),
});
export type TrialDocument = Static<typeof TrialSchema>;

export const SavedVersionSchema = Type.Object({ route: Type.String(), version: Type.Integer() });

function savedDocument({ version, rules, actor, reason, at }: StoredRules): Static<typeof SavedSchema> {
  return { version, rules: rules ?? null, actor, reason, at: new Date(at).toISOString() };
}

function rulesDocument({
  route,
  source,
  rules,
  configured,
  version,
  history,
}: RulesOfRoute): RouteRulesDocument {
  return {
    route,
    source,
    rules,
    configured: configured ?? null,
    version,
    history: history.map(savedDocument),
  };
}

function trialDocument({ trial, groups }: Extract<TriedRules, { kind: 'tried' }>): TrialDocument {
  const tried = new Map(trial.groups.map((one) => [one.group, one]));
  return {
    samples: trial.samples,
    // Groups without a sample are listed too: nobody should take them for gone.
    groups: groups.map(({ id, kind, pattern, status }) => {
      const one = tried.get(id);
      const counts = one?.samples ?? { gone: 0, stays: 0, unknown: 0 };
      return { id, kind, where: pattern, status, verdict: one?.verdict ?? 'unknown', ...counts };
    }),
    appear: trial.appear.map(({ pattern, kind, samples }) => ({ where: pattern, kind, samples })),
  };
}

const PROBLEMS_SHOWN = 20;

function invalid(problems: readonly RuleProblem[]): AdminError {
  const sentences = problems.slice(0, PROBLEMS_SHOWN).map(({ place, expected, why }) => {
    const where = place.length === 0 ? 'the rules' : place.join(' > ');
    return `${where}: expected ${expected}${why === undefined ? '' : ` (${why})`}`;
  });
  return new AdminError('rules_invalid', `${sentences.join('. ')}.`);
}

function found<T>(route: string, result: T | undefined): T {
  if (result !== undefined) return result;
  throw new AdminError('route_unknown', `The configuration has no route named ${route}.`);
}

export function rulesRoutes(server: AdminServer, access: ReportAccess): void {
  const params = Type.Object({ route: Type.String({ minLength: 1, maxLength: 256 }) });

  server.get(
    '/api/v1/routes/:route/rules',
    {
      config: { summary: 'The rules by which the answers of a route are compared, and where they come from' },
      schema: { params, response: { 200: RouteRulesSchema } },
    },
    async ({ params: { route } }) =>
      rulesDocument(found(route, await access.ask((reports) => reports.rules(route)))),
  );

  server.put(
    '/api/v1/routes/:route/rules',
    {
      config: {
        summary:
          "Save the rules of a route: they replace the configuration's, in every gateway within seconds",
        description: '`rules: null` goes back to the configuration.',
      },
      schema: {
        params,
        body: Type.Object(
          {
            rules: Type.Union([Rules, Nothing]),
            reason: Type.String({
              minLength: 1,
              maxLength: 1_000,
              pattern: '\\S',
              description: 'For the audit.',
            }),
            expectedVersion: Type.Optional(
              Type.Integer({ minimum: 0, description: 'Refused unless this version is in force.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: SavedVersionSchema },
      },
    },
    async ({ params: { route }, body: { rules, reason, expectedVersion }, actor }) => {
      const by = { actor, reason, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
      const saved = found(
        route,
        await access.ask((reports) => reports.saveRules(route, rules ?? undefined, by)),
      );
      switch (saved.kind) {
        case 'saved':
          return { route, version: saved.version };
        case 'invalid':
          throw invalid(saved.problems);
        case 'conflict': {
          const detail = `Version ${saved.version} is in force: somebody saved other rules. Look again, then decide.`;
          throw new AdminError('rules_conflict', detail, { members: { version: saved.version } });
        }
        default:
          return saved satisfies never;
      }
    },
  );

  server.post(
    '/api/v1/routes/:route/rules/try',
    {
      config: {
        summary: 'What rules would do to the stored samples: which groups would vanish, which would stay',
      },
      schema: {
        params,
        body: Type.Object({ rules: Rules }, { additionalProperties: false }),
        response: { 200: TrialSchema },
      },
    },
    async ({ params: { route }, body: { rules } }) => {
      const tried = found(route, await access.ask((reports) => reports.tryRules(route, rules)));
      if (tried.kind === 'invalid') throw invalid(tried.problems);
      return trialDocument(tried);
    },
  );
}
