/** The errors of the admin API: stable codes, rendered as problem documents (RFC 9457). */
import { ERRORS, TurnoutError } from '../errors.ts';
import { SourceUnavailable } from './admin-source.ts';

export const ADMIN_ERRORS = {
  invalid_request: { status: 400, title: 'Invalid request' },
  token_required: { status: 401, title: 'Token required' },
  token_invalid: { status: 401, title: 'Token not accepted' },
  role_insufficient: { status: 403, title: 'Not allowed for this role' },
  local_only: { status: 403, title: 'Only from this machine' },
  host_refused: { status: 421, title: 'Host not accepted' },
  origin_refused: { status: 403, title: 'Cross-site request refused' },
  not_found: { status: 404, title: 'No such resource' },
  body_too_large: { status: 413, title: 'Body too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  too_many_failed_logins: { status: 429, title: 'Too many failed logins' },
  no_worker: { status: 503, title: 'No worker answers' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>;

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  /** Seconds, where waiting helps. */
  readonly retryAfterS: number | undefined;

  constructor(code: AdminErrorCode, detail: string, options: ErrorOptions & { retryAfterS?: number } = {}) {
    super(detail, options);
    this.code = code;
    this.retryAfterS = options.retryAfterS;
  }
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
}

interface ProblemAnswer {
  readonly problem: Problem;
  readonly retryAfterS: number | undefined;
  /** A defect of ours: it belongs into the log, with its cause. */
  readonly defect: boolean;
}

function document(code: string, status: number, title: string, detail: string, requestId: string): Problem {
  return { type: `urn:turnout:problem:${code}`, title, status, detail, code, requestId };
}

function ofAdmin(error: AdminError, requestId: string): ProblemAnswer {
  const { status, title } = ADMIN_ERRORS[error.code];
  const problem = document(error.code, status, title, error.message, requestId);
  return { problem, retryAfterS: error.retryAfterS, defect: status === 500 };
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
