/** The errors of the admin API: stable codes, rendered as problem documents (RFC 9457). */
import { type Static, Type } from '@sinclair/typebox';
import {
  ChangeRefusedError,
  CohortExistsError,
  EpochMismatchError,
  UnknownCohortError,
  WritesStrandedError,
  WritesUnknownError,
} from '../cutover/control.ts';
import { ChangeConflictError } from '../cutover/stores.ts';
import { ERRORS, TurnoutError } from '../errors.ts';
import { GuardRefusedError, GuardTrippedError } from '../guard/guard-control.ts';
import { SourceUnavailable } from './admin-source.ts';

export const ADMIN_ERRORS = {
  invalid_request: { status: 400, title: 'Invalid request' },
  token_required: { status: 401, title: 'Token required' },
  login_required: { status: 401, title: 'Login required' },
  token_invalid: { status: 401, title: 'Token not accepted' },
  role_insufficient: { status: 403, title: 'Not allowed for this role' },
  local_only: { status: 403, title: 'Only from this machine' },
  host_refused: { status: 421, title: 'Host not accepted' },
  origin_refused: { status: 403, title: 'Cross-site request refused' },
  not_found: { status: 404, title: 'No such resource' },
  cohort_unknown: { status: 404, title: 'No such cohort' },
  change_unknown: { status: 404, title: 'No such change' },
  mismatch_unknown: { status: 404, title: 'No such mismatch group' },
  trip_unknown: { status: 404, title: 'No such trip' },
  route_unknown: { status: 404, title: 'No such route' },
  gateway_unknown: { status: 404, title: 'No such gateway' },
  upload_stalled: { status: 408, title: 'Upload stalled' },
  upload_cut: { status: 400, title: 'Upload cut off' },
  change_conflict: { status: 409, title: 'Another change is not over yet' },
  change_undone: { status: 409, title: 'Change undone' },
  epoch_mismatch: { status: 409, title: 'Not the expected epoch' },
  cohort_exists: { status: 409, title: 'There is such a cohort already' },
  change_refused: { status: 409, title: 'Not in this state' },
  writes_stranded: { status: 409, title: 'Writes would be stranded' },
  writes_unknown: { status: 409, title: 'Writes since the switch are not known' },
  guard_tripped: { status: 409, title: 'The guard took the cohort back' },
  guard_refused: { status: 409, title: 'Not as things are' },
  rules_conflict: { status: 409, title: 'Other rules were saved meanwhile' },
  gateway_live: { status: 409, title: 'Gateway is live' },
  body_too_large: { status: 413, title: 'Body too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  condition_invalid: { status: 422, title: 'Condition not valid' },
  plan_invalid: { status: 422, title: 'Plan not valid' },
  plan_unknown: { status: 422, title: 'No such plan' },
  rules_invalid: { status: 422, title: 'Rules not valid' },
  stage_unknown: { status: 422, title: 'No such stage' },
  idempotency_key_reused: { status: 422, title: 'Idempotency key used for something else' },
  too_many_failed_logins: { status: 429, title: 'Too many failed logins' },
  listeners_full: { status: 503, title: 'Too many live views' },
  store_unavailable: { status: 503, title: 'A store does not answer' },
  no_worker: { status: 503, title: 'No worker answers' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>;

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

/** What a problem document says besides its standard members: the other change's id, the epoch, users. */
type Members = Readonly<Record<string, string | number | readonly string[]>>;

/** Users that a problem document names. */
const USERS_NAMED_MAX = 100;

export interface AdminErrorOptions extends ErrorOptions {
  readonly retryAfterS?: number;
  readonly members?: Members;
}

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  /** Seconds, where waiting helps. */
  readonly retryAfterS: number | undefined;
  readonly members: Members;

  constructor(code: AdminErrorCode, detail: string, options: AdminErrorOptions = {}) {
    super(detail, options);
    this.code = code;
    this.retryAfterS = options.retryAfterS;
    this.members = options.members ?? {};
  }
}

/** RFC 9457. Further members belong to the code. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    /** Stable: what a program looks at. */
    code: Type.String(),
    requestId: Type.String(),
  },
  { additionalProperties: Type.Union([Type.String(), Type.Number(), Type.Array(Type.String())]) },
);
export type Problem = Static<typeof ProblemSchema>;

interface ProblemAnswer {
  readonly problem: Problem;
  readonly retryAfterS: number | undefined;
  /** A defect of ours, or a store that failed: it belongs into the log, with its cause. */
  readonly defect: boolean;
}

function document(code: string, status: number, title: string, detail: string, requestId: string): Problem {
  return { type: `urn:turnout:problem:${code}`, title, status, detail, code, requestId };
}

function ofAdmin(error: AdminError, requestId: string): ProblemAnswer {
  const { status, title } = ADMIN_ERRORS[error.code];
  const problem = { ...error.members, ...document(error.code, status, title, error.message, requestId) };
  return {
    problem,
    retryAfterS: error.retryAfterS,
    defect: status === 500 || error.code === 'store_unavailable',
  };
}

/** What the guard refuses. */
function ofGuard(error: unknown): AdminError | undefined {
  if (error instanceof GuardTrippedError) {
    return new AdminError('guard_tripped', sentence(error.message), { members: { trip: error.trip } });
  }
  if (error instanceof GuardRefusedError) return new AdminError('guard_refused', sentence(error.message));
  return undefined;
}

/** What the cutover refuses, in the API's words. */
function ofControl(error: unknown): AdminError | undefined {
  if (error instanceof ChangeConflictError) {
    const detail = `Change ${error.openChange} is not over yet.`;
    return new AdminError('change_conflict', detail, { members: { change: error.openChange } });
  }
  if (error instanceof EpochMismatchError) {
    const detail = `The map is at epoch ${error.epoch}: something changed since. Look again, then decide.`;
    return new AdminError('epoch_mismatch', detail, { members: { epoch: error.epoch } });
  }
  if (error instanceof UnknownCohortError) {
    return new AdminError('cohort_unknown', `There is no cohort ${error.cohort}.`);
  }
  if (error instanceof CohortExistsError) return new AdminError('cohort_exists', sentence(error.message));
  if (error instanceof ChangeRefusedError) return new AdminError('change_refused', sentence(error.message));
  if (error instanceof WritesStrandedError) {
    const users = error.users.slice(0, USERS_NAMED_MAX);
    const members = { users, count: error.users.length };
    return new AdminError('writes_stranded', sentence(error.message), { members });
  }
  if (error instanceof WritesUnknownError) return new AdminError('writes_unknown', sentence(error.message));
  return ofGuard(error);
}

/** A message of the cutover or the guard as a sentence. */
function sentence(message: string): string {
  const whole = /[.!?]$/u.test(message) ? message : `${message}.`;
  return whole.slice(0, 1).toUpperCase() + whole.slice(1);
}

/** Whether the cutover or the guard refused the request: its stores are well. */
export function isRefusal(error: unknown): boolean {
  return ofControl(error) !== undefined;
}

/** Fastify's own refusals, by the status that it chose. */
function ofFramework(error: Error, status: number): AdminError | undefined {
  switch (status) {
    case 400:
    case 414:
    case 431:
      return new AdminError('invalid_request', error.message);
    case 413:
      return new AdminError('body_too_large', error.message);
    case 415:
      return new AdminError('unsupported_media_type', error.message);
    default:
      return undefined;
  }
}

/** The one place where an error of the admin API becomes an answer. */
export function problemOf(error: unknown, requestId: string): ProblemAnswer {
  if (error instanceof AdminError) return ofAdmin(error, requestId);
  const refused = ofControl(error);
  if (refused !== undefined) return ofAdmin(refused, requestId);
  if (error instanceof TurnoutError) {
    const { status, title, detail } = ERRORS[error.code];
    // What the explained request would be refused for is no fault of this one: 422 instead of its 4xx. Rows
    // without a status are about cut connections; one that comes here is a defect.
    const own = status === 0 ? 500 : status < 500 ? 422 : status;
    const problem = document(error.code, own, title, detail, requestId);
    return { problem, retryAfterS: own === 503 ? 1 : undefined, defect: own === 500 };
  }
  if (error instanceof SourceUnavailable) {
    return ofAdmin(new AdminError('no_worker', error.message, { retryAfterS: 1 }), requestId);
  }
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    const known = ofFramework(error, error.statusCode);
    if (known !== undefined) return ofAdmin(known, requestId);
  }
  return ofAdmin(
    new AdminError('internal', 'A defect. The log has the cause under the request id.'),
    requestId,
  );
}
