/**
 * One request and its answer, as cheaply as the client library allows: `request` makes a stream of every answer, and the
 * load would take cores from what is measured.
 */
import type { Dispatcher } from 'undici';

export interface Answered {
  readonly status: number;
  /** The body, Latin-1. */
  readonly text: string;
}

class Asking implements Dispatcher.DispatchHandler {
  readonly #done: (answered: Answered) => void;
  readonly #failed: (error: Error) => void;
  #status = 0;
  #text = '';

  constructor(done: (answered: Answered) => void, failed: (error: Error) => void) {
    this.#done = done;
    this.#failed = failed;
  }

  /** Asked for by the library. */
  onRequestStart(): void {
    this.#status = 0;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#text += chunk.toString('latin1');
  }

  onResponseEnd(): void {
    this.#done({ status: this.#status, text: this.#text });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#failed(error);
  }
}

/** @throws Error of the connection, or when `headersTimeout` is over */
export function ask(pool: Dispatcher, options: Dispatcher.DispatchOptions): Promise<Answered> {
  return new Promise((done, failed) => {
    pool.dispatch(options, new Asking(done, failed));
  });
}
