/** Two backends of which `new` can be made to fail, and readers who ask all the time. */
import { startBackend } from '../harness/backend.ts';
import type { Teardown } from '../harness/teardown.ts';

export class FailingBackends {
  /** Every answer of `new` is a 500 from now on. */
  isBroken = false;
  /** `new` answers nothing from now on. */
  isHanging = false;
  readonly ports: { readonly legacy: number; readonly new: number };

  private constructor(ports: { readonly legacy: number; readonly new: number }) {
    this.ports = ports;
  }

  static async start(t: Teardown): Promise<FailingBackends> {
    const legacy = await startBackend(t, (_request, response) => {
      response.end('legacy');
    });
    const fresh = await startBackend(t, (_request, response) => {
      if (backends.isHanging) return;
      if (backends.isBroken) response.statusCode = 500;
      response.end('new');
    });
    const backends = new FailingBackends({ legacy: legacy.port, new: fresh.port });
    return backends;
  }
}

/** Users who read, each one again as soon as it was answered and `pauseMs` are over. */
export class Readers {
  /** The latest answers, newest last: the body, or the status of a failure. */
  readonly answers: string[] = [];
  #stopping = false;
  readonly #running: Promise<unknown>;

  constructor(ports: readonly number[], users: number, pauseMs: number) {
    const names = Array.from({ length: users }, (_, n) => `reader-${n}`);
    this.#running = Promise.all(
      names.map((user, n) => this.#read(user, ports[n % ports.length] ?? 0, pauseMs)),
    );
  }

  async #read(user: string, port: number, pauseMs: number): Promise<void> {
    while (!this.#stopping) {
      const answer = await fetch(`http://127.0.0.1:${port}/things`, { headers: { 'x-user': user } }).catch(
        () => undefined,
      );
      const text = await answer?.text().catch(() => '');
      this.answers.push(answer?.status === 200 ? (text ?? '') : String(answer?.status ?? 'cut'));
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
  }

  /** Resolves when the latest answers are all of this kind. */
  async until(answer: string, count = 40): Promise<void> {
    for (;;) {
      const at = this.answers.length;
      while (this.answers.length < at + count) await new Promise((resolve) => setTimeout(resolve, 5));
      if (this.answers.slice(-count).every((each) => each === answer)) return;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }
}
