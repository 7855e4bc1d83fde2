/** The audit: every change that went through the barrier, and those that are still on their way. */
import { type Static, Type } from '@sinclair/typebox';
import { CHANGE_KINDS, type Change, type ChangeKind } from '../cutover/change.ts';
import { USER_BYTES_MAX } from '../model.ts';
import { AdminError } from './admin-error.ts';
import type { ControlAccess } from './control-access.ts';
import {
  ChangeInProgressSchema,
  ChangeSchema,
  changeDocument,
  changeInProgress,
} from './control-documents.ts';
import { cursorOf, cursorUnknown, PAGE_MAX, PageQuery, PageSchema, pageOf, readCursor } from './page.ts';
import { CohortName, expectUser, STRICT, UUID } from './request-parts.ts';
import type { AdminServer } from './type-provider.ts';

/** Pages of the record that one request looks through for the changes of a user or a kind. */
const PAGES_SEARCHED_MAX = 10;

const ChangesQuery = Type.Object(
  {
    ...PageQuery,
    cohort: Type.Optional(CohortName),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: USER_BYTES_MAX,
        description: 'Pins of this user. Everything else that happened to a user is under /api/v1/users.',
      }),
    ),
    kind: Type.Optional(
      Type.String({ maxLength: 200, description: `One or more of ${CHANGE_KINDS.join(', ')}, with commas.` }),
    ),
    open: Type.Optional(
      Type.String({ enum: ['true', 'false'], description: '`true`: only those that are not over.' }),
    ),
  },
  STRICT,
);
type Query = Static<typeof ChangesQuery>;

function kindsOf(list: string): ReadonlySet<ChangeKind> {
  const kinds = list.split(',').map((word) => {
    const kind = CHANGE_KINDS.find((known) => known === word.trim());
    if (kind !== undefined) return kind;
    const detail = `There is no kind ${word} of changes: it is one of ${CHANGE_KINDS.join(', ')}.`;
    throw new AdminError('invalid_request', detail);
  });
  return new Set(kinds);
}

/** What the query asks for besides the cohort, which the record looks for by itself. */
function filterOf({ user, kind }: Query): ((change: Change) => boolean) | undefined {
  if (user === undefined && kind === undefined) return undefined;
  const wanted = user === undefined ? undefined : expectUser(user);
  const kinds = kind === undefined ? undefined : kindsOf(kind);
  return (change) =>
    (wanted === undefined || change.user === wanted) && (kinds === undefined || kinds.has(change.kind));
}

interface Found {
  readonly items: readonly Change[];
  /** The id after which the next page begins. */
  readonly next: string | undefined;
}

/** A page of a search may be short, or empty, while there are more: the search is bounded, not the list. */
async function search(
  access: ControlAccess,
  matches: (change: Change) => boolean,
  { before: first, limit, cohort }: { before: string | undefined; limit: number; cohort: string | undefined },
): Promise<Found> {
  const items: Change[] = [];
  let before = first;
  for (let page = 0; page < PAGES_SEARCHED_MAX; page += 1) {
    const changes = await access.ask((control) => control.changes(before, PAGE_MAX, cohort));
    for (const change of changes) {
      before = change.id;
      if (!matches(change)) continue;
      items.push(change);
      if (items.length === limit) return { items, next: before };
    }
    if (changes.length < PAGE_MAX) return { items, next: undefined };
  }
  return { items, next: before };
}

async function list(access: ControlAccess, query: Query): Promise<Found> {
  const limit = Number(query.limit);
  const before = query.cursor === undefined ? undefined : readCursor(query.cursor);
  if (before !== undefined && !new RegExp(UUID, 'u').test(before)) throw cursorUnknown();
  const { cohort } = query;
  const matches = filterOf(query);
  if (matches !== undefined) return search(access, matches, { before, limit, cohort });
  const items = await access.ask((control) => control.changes(before, limit, cohort));
  return { items, next: items.length === limit ? items.at(-1)?.id : undefined };
}

/** There are never many, so they are had whole. */
async function listOpen(access: ControlAccess, query: Query) {
  const matches = filterOf(query) ?? (() => true);
  const { cohort } = query;
  const open = (await access.openChanges()).filter(
    (change) => (cohort === undefined || change.cohort === cohort) && matches(change),
  );
  return pageOf(open.map(changeDocument), ({ id }) => id, Number(query.limit), query.cursor);
}

const ChangeParams = Type.Object({ id: Type.String({ pattern: UUID }) });

function changeUnknown(id: string): AdminError {
  return new AdminError('change_unknown', `There is no change ${id}.`);
}

export function changeRoutes(server: AdminServer, access: ControlAccess): void {
  server.get(
    '/api/v1/changes',
    {
      config: {
        summary: 'The audit: every change, the newest first',
        description: 'With `user` or `kind` a page may be short, or empty, and still have a `next`.',
      },
      schema: { querystring: ChangesQuery, response: { 200: PageSchema(ChangeSchema) } },
    },
    async ({ query }) => {
      if (query.open === 'true') return listOpen(access, query);
      const { items, next } = await list(access, query);
      return { items: items.map(changeDocument), next: next === undefined ? null : cursorOf(next) };
    },
  );

  server.get(
    '/api/v1/changes/:id',
    {
      config: { summary: "One change; while it is in progress, with every gateway's acknowledgement" },
      schema: {
        params: ChangeParams,
        response: { 200: ChangeInProgressSchema },
      },
    },
    async ({ params }) => {
      const [change, gateways] = await access.ask((control) =>
        Promise.all([control.change(params.id), control.gateways()]),
      );
      if (change === undefined) throw changeUnknown(params.id);
      return changeInProgress(change, gateways);
    },
  );

  server.get(
    '/api/v1/changes/:id/dirty',
    {
      config: {
        summary: 'Users whose writes were in new only when the change was switched',
        description: 'In the order of their keys. They stayed in new, or, under `force`, were stranded.',
      },
      schema: {
        params: ChangeParams,
        querystring: Type.Object(PageQuery, STRICT),
        response: { 200: PageSchema(Type.String()) },
      },
    },
    async ({ params, query }) => {
      const limit = Number(query.limit);
      const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
      if ((await access.ask((control) => control.change(params.id))) === undefined) {
        throw changeUnknown(params.id);
      }
      const users = await access.ask((control) => control.dirtyOf(params.id, after, limit));
      const last = users.length === limit ? users.at(-1) : undefined;
      return { items: [...users], next: last === undefined ? null : cursorOf(last) };
    },
  );
}
