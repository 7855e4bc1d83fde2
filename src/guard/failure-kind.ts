import type { ErrorCode } from '../errors.ts';
import type { FailureKind } from './slot.ts';

/**
 * The one table of whose fault a failed request was: a kind for the codes that speak against the backend; `undefined`
 * for what the client did or the gateway decided. A 5xx is no code; it is of the kind `status`.
 */
export function failureKind(code: ErrorCode): FailureKind | undefined {
  switch (code) {
    case 'backend_refused':
    case 'backend_tls':
    case 'backend_connect_timeout':
      return 'connect';
    case 'backend_headers_timeout':
    case 'backend_body_stalled':
    case 'backend_upload_stalled':
      return 'timeout';
    case 'backend_closed':
    case 'backend_malformed':
    case 'backend_body_closed':
      return 'reset';
    case 'backend_overloaded':
      return 'overload';
    case 'malformed_request':
    case 'bad_target':
    case 'bad_host':
    case 'ambiguous_path':
    case 'user_required':
    case 'identity_unavailable':
    case 'request_head_timeout':
    case 'request_body_stalled':
    case 'expectation_failed':
    case 'head_too_large':
    case 'upgrade_unsupported':
    case 'internal':
    case 'client_stalled':
    case 'client_closed_upload':
    case 'client_closed':
    case 'state_unknown':
    case 'fenced':
    case 'write_held':
    case 'held_writes_full':
    case 'shutting_down':
      return undefined;
    default: {
      const never: never = code;
      return never;
    }
  }
}
