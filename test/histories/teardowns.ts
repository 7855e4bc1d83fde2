import type { Teardown } from '../harness/teardown.ts';

/** What a test runner does with teardowns, for a program. */
export class Teardowns implements Teardown {
  readonly #handlers: (() => void | Promise<void>)[] = [];
  #running: Promise<void> | undefined;

  teardown(handler: () => void | Promise<void>): void {
    this.#handlers.push(handler);
  }

  /** The last first, each once. One that fails does not keep the others. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let handler = this.#handlers.pop(); handler !== undefined; handler = this.#handlers.pop()) {
      try {
        await handler();
      } catch (error) {
        console.error('something could not be put away:', error);
      }
    }
  }
}
