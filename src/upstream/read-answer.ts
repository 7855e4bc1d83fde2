/** Takes in one whole answer, within its bounds. */
import type { BackendConnection, BackendExchange } from './backend-connection.ts';
import { backendFailure, type Progress } from './failure.ts';
import type { KeptBody } from './kept-body.ts';

/** How a read that nobody waits for ended. */
export type ReadOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Name, value, name, value … as they came. */
      readonly headers: readonly string[];
      /** Somebody has to release it. */
      readonly body: KeptBody;
      /** From sending to the whole answer. */
      readonly durationMs: number;
    }
  | {
      readonly kind: 'failed';
      readonly failure: 'timeout' | 'error';
      /** `deadline`, or a code of the table of errors. */
      readonly code: string;
    }
  | { readonly kind: 'skipped'; readonly reason: ReadSkip };

/** Why there is nothing to compare although nothing failed. */
export type ReadSkip = 'breaker_open' | 'backend_overloaded' | 'body_too_large' | 'memory' | 'stopping';

/** What one attempt came to. */
export type Attempt =
  | { readonly kind: 'whole'; readonly status: number; readonly headers: readonly string[] }
  | { readonly kind: 'dropped'; readonly reason: ReadSkip }
  | { readonly kind: 'late' }
  | { readonly kind: 'error'; readonly error: Error; readonly progress: Progress };

export class ReadAnswer implements BackendExchange {
  readonly #body: KeptBody;
  readonly #hasBody: boolean;
  readonly #onOver: (attempt: Attempt) => void;
  #connection: BackendConnection | undefined;
  #progress: Progress = 'connecting';
  #status = 0;
  #headers: readonly string[] = [];
  #over = false;

  /**
   * @param method of the request: answers to `HEAD` announce a body that does not come
   * @param onOver called exactly once
   */
  constructor(method: string, body: KeptBody, onOver: (attempt: Attempt) => void) {
    this.#hasBody = method !== 'HEAD';
    this.#body = body;
    this.#onOver = onOver;
  }

  /** The deadline has passed. @param takeBack called if it still waits for a connection */
  giveUp(takeBack: () => void): void {
    if (this.#connection === undefined) takeBack();
    this.#drop({ kind: 'late' });
  }

  onSending(connection: BackendConnection): void {
    this.#connection = connection;
    this.#progress = 'sent';
  }

  onAnswerBegun(): void {
    // What counts is its head.
  }

  onHead(status: number, _reason: string, headers: readonly string[]): void {
    if (status < 200) return;
    this.#progress = 'answering';
    this.#status = status;
    this.#headers = headers;
    // An answer without a body may say how long it would be.
    const bytes = this.#hasBody && status !== 304 ? announcedBytes(headers) : undefined;
    if (bytes === undefined) return;
    this.#body.announce(bytes);
    this.#endIfDropped();
  }

  onData(piece: Buffer): void {
    this.#body.add(piece);
    this.#endIfDropped();
  }

  onEnd(): void {
    this.#settle({ kind: 'whole', status: this.#status, headers: this.#headers });
  }

  onError(error: Error): void {
    this.#settle({ kind: 'error', error, progress: this.#progress });
  }

  #endIfDropped(): void {
    const { dropped } = this.#body;
    if (dropped !== undefined)
      this.#drop({ kind: 'dropped', reason: dropped === 'memory' ? 'memory' : 'body_too_large' });
  }

  #drop(attempt: Attempt): void {
    this.#connection?.abort(this);
    this.#settle(attempt);
  }

  #settle(attempt: Attempt): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(attempt);
  }
}

/** What a valid answer says of its length; `undefined` where it says nothing. */
function announcedBytes(headers: readonly string[]): number | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() === 'content-length') return Number(headers[i + 1]);
  }
  return undefined;
}

const TIMEOUT = /timeout|stalled/;

/** The failure by its name in the table of errors. */
export function failedBy(error: Error, progress: Progress): ReadOutcome {
  const { code } = backendFailure(error, progress);
  return { kind: 'failed', failure: TIMEOUT.test(code) ? 'timeout' : 'error', code };
}
