import type { ErrorCode, TurnoutError } from '../errors.ts';

/** Stands by one sending of a read, whose failure need not be its client's: another backend may answer instead. */
export interface Standby {
  /** Whether an answer with this status goes to the client. Asked once, before a byte of it does. */
  passes(status: number): boolean;
  /**
   * The backend has failed before its answer was passed on. The exchange is this one's from here on: nothing was told to
   * the client. `undefined` for an answer that must not pass: it is kept, to be given or dropped.
   */
  failed(failure: TurnoutError | undefined): void;
  /** The sending has come to its end, whichever, with nothing left to do. Not called after `failed`. */
  over(): void;
}

/** Failures of a backend before its answer. What the client did, or the gateway itself refused, is not among them. */
const OF_BACKENDS: ReadonlySet<ErrorCode> = new Set([
  'backend_refused',
  'backend_tls',
  'backend_connect_timeout',
  'backend_overloaded',
  'backend_closed',
  'backend_malformed',
  'backend_headers_timeout',
]);

export function isOfBackend({ code }: TurnoutError): boolean {
  return OF_BACKENDS.has(code);
}
