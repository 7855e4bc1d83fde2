import type { ErrorCode } from '../errors.ts';
import { TurnoutError } from '../errors.ts';

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

const TIMEOUTS = new Map<string, ErrorCode>([
  ['UND_ERR_CONNECT_TIMEOUT', 'backend_connect_timeout'],
  ['ETIMEDOUT', 'backend_connect_timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'backend_headers_timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'backend_body_stalled'],
]);

/** The backend said something that is not HTTP. */
const MALFORMED = /^(?:HPE_|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_EXCEEDED)/;
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA)/;
/** The gateway's own request was refused by the client library before it was sent. */
const UNSENDABLE = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'ERR_INVALID_CHAR',
  'ERR_UNESCAPED_CHARACTERS',
]);

/**
 * Names the failure of an exchange with a backend by its row in the table of errors. Every failure of the
 * client libraries passes through here, once.
 */
export function backendFailure(error: Error, progress: Progress): TurnoutError {
  return error instanceof TurnoutError ? error : new TurnoutError(codeOf(error, progress), { cause: error });
}

function codeOf(error: Error, progress: Progress): ErrorCode {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNSENDABLE.has(code)) return 'malformed_request';
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'client_closed_upload';
  if (progress === 'answering') {
    return code === 'UND_ERR_BODY_TIMEOUT' ? 'backend_body_stalled' : 'backend_body_closed';
  }
  const timeout = TIMEOUTS.get(code);
  if (timeout !== undefined) return timeout;
  if (TLS.test(code)) return 'backend_tls';
  if (progress === 'connecting') return 'backend_refused';
  if (CONNECT_REFUSED.has(code)) return 'backend_refused';
  // undici reports an unasked-for 100 or 101 as a socket error with this text and no code of its own.
  // undici's parser errors have a code only where llhttp gave one.
  if (
    error.name === 'HTTPParserError' ||
    MALFORMED.test(code) ||
    error.message === 'bad response' ||
    error.message === 'bad upgrade'
  ) {
    return 'backend_malformed';
  }
  return 'backend_closed';
}
