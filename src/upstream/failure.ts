import type { ErrorCode } from '../errors.ts';
import { TurnoutError } from '../errors.ts';
import { MalformedAnswer } from './answer-head.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { UnsendableRequest } from './request-bytes.ts';

/** How far an exchange with a backend had come when it failed. */
export type Progress =
  /** No connection was found for it yet. */
  | 'connecting'
  /** It was being sent, or was sent; no answer yet. */
  | 'sent'
  /** The head of the answer was relayed. */
  | 'answering';

const CONNECT_REFUSED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'ENOENT',
]);

const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;
/**
 * Names the failure of an exchange with a backend by its row in the table of errors. Every failure of the
 * client libraries passes through here, once.
 */
export function backendFailure(error: Error, progress: Progress): TurnoutError {
  return error instanceof TurnoutError ? error : new TurnoutError(codeOf(error, progress), { cause: error });
}

function codeOf(error: Error, progress: Progress): ErrorCode {
  if (error instanceof UnsendableRequest) return 'malformed_request';
  if (progress === 'answering') {
    const isStalled = error instanceof ConnectionFailure && error.kind === 'body_timeout';
    return isStalled ? 'backend_body_stalled' : 'backend_body_closed';
  }
  if (error instanceof MalformedAnswer) return 'backend_malformed';
  if (error instanceof ConnectionFailure && error.kind !== 'closed') return TIMEOUTS[error.kind];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ETIMEDOUT') return 'backend_connect_timeout';
  if (TLS.test(code)) return 'backend_tls';
  // node's own parser, which reads the answers to upgrades.
  if (code.startsWith('HPE_')) return 'backend_malformed';
  return progress === 'connecting' || CONNECT_REFUSED.has(code) ? 'backend_refused' : 'backend_closed';
}

const TIMEOUTS = {
  connect_timeout: 'backend_connect_timeout',
  headers_timeout: 'backend_headers_timeout',
  body_timeout: 'backend_body_stalled',
} as const satisfies Record<Exclude<ConnectionFailure['kind'], 'closed'>, ErrorCode>;
