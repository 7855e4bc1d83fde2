import type { Exchange } from '../intake/exchange.ts';

/**
 * One stage of a request's way. It learns something about the exchange or changes it; it throws a
 * `TurnoutError` to end it. A stage that has to wait returns a promise, and only then does the request
 * leave the fast path.
 */
export type Stage = (exchange: Exchange) => void | Promise<void>;

/**
 * Runs an exchange through the stages, in order and in one go while no stage waits. An exchange that ended
 * meanwhile (its client left) goes no further.
 */
export class Pipeline {
  readonly #stages: readonly Stage[];
  readonly #now: () => number;
  readonly #onDefect: (exchange: Exchange, error: unknown) => void;

  /**
   * @param now a monotonic clock, milliseconds
   * @param onDefect told of errors that no stage foresaw, after the exchange was failed
   */
  constructor(
    stages: readonly Stage[],
    now: () => number,
    onDefect: (exchange: Exchange, error: unknown) => void,
  ) {
    this.#stages = stages;
    this.#now = now;
    this.#onDefect = onDefect;
  }

  run(exchange: Exchange): void {
    this.#runFrom(exchange, 0);
  }

  #runFrom(exchange: Exchange, first: number): void {
    try {
      for (let i = first; i < this.#stages.length && !exchange.ended; i++) {
        const waiting = this.#stages[i]?.(exchange);
        if (waiting === undefined) continue;
        this.#resumeAfter(exchange, waiting, i + 1);
        return;
      }
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #resumeAfter(exchange: Exchange, waiting: Promise<void>, next: number): void {
    const sinceMs = this.#now();
    waiting.then(
      () => {
        exchange.waitedMs += this.#now() - sinceMs;
        this.#runFrom(exchange, next);
      },
      (error: unknown) => this.#fail(exchange, error),
    );
  }

  #fail(exchange: Exchange, error: unknown): void {
    exchange.fail(error);
    this.#onDefect(exchange, error);
  }
}
