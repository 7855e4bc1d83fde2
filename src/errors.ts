/**
 * The one table of errors that a client of the gateway can meet: code, HTTP status, title, and where it
 * happened. Everything that fails on the data path fails with one of these codes; the codes are the
 * `outcome` label of the metrics and the `code` of the problem documents.
 */

/** Where in the exchange, and on whose side, a failure was found. */
export type FailureStage =
  | 'request head, client'
  | 'request body, client'
  | 'routing, gateway'
  | 'connect, backend'
  | 'request body, backend'
  | 'response head, backend'
  | 'response body, backend'
  | 'response body, client';

export interface ErrorRow {
  /** 0 where no answer can be sent any more. */
  readonly status: number;
  readonly title: string;
  readonly stage: FailureStage;
  /** What the reader can do about it. */
  readonly detail: string;
  /** Seconds for `Retry-After`, where waiting helps. */
  readonly retryAfterS?: number;
}

export const ERRORS = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    stage: 'request head, client',
    detail: 'The request is not valid HTTP/1.1. The connection is closed.',
  },
  bad_target: {
    status: 400,
    title: 'Unsupported request target',
    stage: 'request head, client',
    detail: 'The request target has to be a path, or an absolute http or https URL.',
  },
  bad_host: {
    status: 400,
    title: 'Missing or invalid Host',
    stage: 'request head, client',
    detail: 'An HTTP/1.1 request carries exactly one valid Host header.',
  },
  ambiguous_path: {
    status: 400,
    title: 'Ambiguous path',
    stage: 'routing, gateway',
    detail:
      'The path as sent and the path after decoding and removing dot segments belong to different routes. Send the plain form.',
  },
  user_required: {
    status: 401,
    title: 'User required',
    stage: 'routing, gateway',
    detail: 'This route serves identified users only; the request carries no valid identity.',
  },
  identity_unavailable: {
    status: 503,
    title: 'Identity unavailable',
    stage: 'routing, gateway',
    detail: 'The request carries a token, and the keys to check it with could not be fetched.',
    retryAfterS: 1,
  },
  request_head_timeout: {
    status: 408,
    title: 'Request head timeout',
    stage: 'request head, client',
    detail: 'The request line and headers did not arrive in time.',
  },
  request_body_stalled: {
    status: 408,
    title: 'Request body stalled',
    stage: 'request body, client',
    detail: 'The client stopped sending the request body.',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation failed',
    stage: 'request head, client',
    detail: 'The only expectation that is served is 100-continue.',
  },
  head_too_large: {
    status: 431,
    title: 'Request head too large',
    stage: 'request head, client',
    detail: 'The request line and headers are over the configured limit.',
  },
  upgrade_unsupported: {
    status: 501,
    title: 'Method not supported',
    stage: 'request head, client',
    detail: 'CONNECT is not served: Turnout is a reverse proxy.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    stage: 'routing, gateway',
    detail: 'A defect in the gateway. The log has the cause under the request id.',
  },
  backend_refused: {
    status: 502,
    title: 'Backend unreachable',
    stage: 'connect, backend',
    detail: 'The backend did not accept a connection.',
  },
  backend_tls: {
    status: 502,
    title: 'Backend certificate refused',
    stage: 'connect, backend',
    detail: 'The TLS handshake with the backend failed.',
  },
  backend_connect_timeout: {
    status: 504,
    title: 'Backend connect timeout',
    stage: 'connect, backend',
    detail: 'No connection to the backend could be had in time.',
  },
  backend_overloaded: {
    status: 503,
    title: 'Backend overloaded',
    stage: 'connect, backend',
    detail: 'All connections to the backend are busy and the queue for them is full.',
    retryAfterS: 1,
  },
  backend_closed: {
    status: 502,
    title: 'Backend closed the connection',
    stage: 'response head, backend',
    detail: 'The backend ended the connection before it answered. The request may have been processed.',
  },
  backend_malformed: {
    status: 502,
    title: 'Malformed backend answer',
    stage: 'response head, backend',
    detail: 'The backend answered with something that is not valid HTTP.',
  },
  backend_headers_timeout: {
    status: 504,
    title: 'Backend timeout',
    stage: 'response head, backend',
    detail: 'The backend did not answer in time. The request may have been processed.',
  },
  backend_body_stalled: {
    status: 0,
    title: 'Backend stalled',
    stage: 'response body, backend',
    detail: 'The backend stopped sending the body of its answer; the connection to the client was cut.',
  },
  backend_body_closed: {
    status: 0,
    title: 'Backend cut its answer',
    stage: 'response body, backend',
    detail: 'The backend ended the connection inside its answer; the connection to the client was cut.',
  },
  backend_upload_stalled: {
    status: 504,
    title: 'Backend stopped reading',
    stage: 'request body, backend',
    detail: 'The backend stopped taking the request body. The request may have been processed.',
  },
  client_stalled: {
    status: 0,
    title: 'Client stalled',
    stage: 'response body, client',
    detail: 'The client stopped taking its answer; its connection was cut.',
  },
  client_closed_upload: {
    status: 0,
    title: 'Client left during the upload',
    stage: 'request body, client',
    detail: 'The client ended the connection before its request was complete.',
  },
  client_closed: {
    status: 0,
    title: 'Client left',
    stage: 'response body, client',
    detail: 'The client ended the connection before it had the whole answer.',
  },
  state_unknown: {
    status: 503,
    title: 'User state unknown',
    stage: 'routing, gateway',
    detail:
      'The state map and the record are both unreachable, and what has to be known or noted of this user is not at hand.',
    retryAfterS: 1,
  },
  fenced: {
    status: 503,
    title: 'Gateway fenced',
    stage: 'routing, gateway',
    detail: 'The gateway lost the state map for too long to know who owns this user.',
    retryAfterS: 1,
  },
  write_held: {
    status: 503,
    title: 'Write held too long',
    stage: 'routing, gateway',
    detail: 'The data of this user is being moved. Send the write again.',
    retryAfterS: 1,
  },
  held_writes_full: {
    status: 503,
    title: 'Too many held writes',
    stage: 'routing, gateway',
    detail: 'The data of this user is being moved and the bound on waiting writes is reached. Send it again.',
    retryAfterS: 1,
  },
  shutting_down: {
    status: 503,
    title: 'Gateway stopping',
    stage: 'routing, gateway',
    detail: 'This gateway is being stopped.',
    retryAfterS: 1,
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** A failure on the data path, named by its row in the table; the library's own error is its `cause`. */
export class TurnoutError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, options?: ErrorOptions) {
    super(ERRORS[code].title, options);
    this.name = 'TurnoutError';
    this.code = code;
  }
}
