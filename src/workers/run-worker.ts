/**
 * The life of a worker process: it is told its configuration, serves, answers the primary's questions, and
 * drains when it is told to, when it is sent SIGTERM, or when the primary is gone.
 */
import cluster from 'node:cluster';
import { TurnoutError } from '../errors.ts';
import { createTelemetry, type ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { reportOf } from './gateway-report.ts';
import type { Answer, FromWorker, Question, ToWorker } from './messages.ts';
import type { OpenGateway, OpenGatewayFn } from './open-gateway.ts';

/** Signals that a terminal sends to the whole group: the primary acts on them, and tells the workers. */
const LEFT_TO_THE_PRIMARY = ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const;

class RunningWorker {
  readonly #open: OpenGatewayFn;
  #telemetry: ProcessTelemetry | undefined;
  #gateway: OpenGateway | undefined;
  #graceMs = 0;
  #servingSinceMs = 0;
  #draining = false;

  constructor(open: OpenGatewayFn) {
    this.#open = open;
  }

  async start({ worker, gatewayId, config }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
    const telemetry = createTelemetry({ ...config.log, worker });
    this.#telemetry = telemetry;
    this.#graceMs = config.shutdown.graceMs;
    try {
      this.#gateway = await this.#open(config, telemetry, { id: gatewayId, worker });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code =
        error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
      telemetry.log.error({ event: 'start_failed', err: error }, 'the worker could not start');
      await this.#say({ type: 'failed', message, code });
      this.#exit(1);
      return;
    }
    this.#servingSinceMs = performance.now();
    await this.#say({ type: 'ready', address: this.#gateway.address });
  }

  async answer(id: number, question: Question): Promise<void> {
    await this.#say({ type: 'answer', id, answer: await this.#answerTo(question) });
  }

  async #answerTo(question: Question): Promise<Answer> {
    const gateway = this.#gateway;
    const telemetry = this.#telemetry;
    if (gateway === undefined || telemetry === undefined) {
      return { kind: 'failure', message: 'the worker is not ready', code: undefined };
    }
    try {
      switch (question.kind) {
        case 'families':
          return { kind: 'families', families: await telemetry.families() };
        case 'report':
          return { kind: 'report', report: reportOf(gateway, performance.now() - this.#servingSinceMs) };
        case 'explain':
          return {
            kind: 'explain',
            explanation: await gateway.explain(question.request),
          };
        case 'reload':
          gateway.reload(question.config);
          telemetry.configure(question.config.log);
          this.#graceMs = question.config.shutdown.graceMs;
          return { kind: 'reload' };
        default: {
          const never: never = question;
          return never;
        }
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { kind: 'failure', message, code: error instanceof TurnoutError ? error.code : undefined };
    }
  }

  /** Finishes what is in flight, hands over the last figures, and ends the process. */
  async drain(graceMs: number = this.#graceMs): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    let cut = 0;
    try {
      ({ cut } = (await this.#gateway?.close({ graceMs })) ?? { cut: 0 });
    } catch (error) {
      this.#telemetry?.log.error({ event: 'defect', err: error }, 'the worker could not close in order');
    }
    const families = (await this.#telemetry?.families()) ?? [];
    await this.#say({ type: 'drained', cut, families });
    this.#exit(0);
  }

  async primaryLost(): Promise<void> {
    this.#telemetry?.log.error({ event: 'primary_lost' }, 'the primary is gone: draining');
    await this.drain();
  }

  /** Resolves when the primary has it, or when there is no primary any more. */
  async #say(message: FromWorker): Promise<void> {
    await new Promise<void>((resolve) => {
      if (process.send === undefined || !process.connected) resolve();
      else process.send(message, undefined, {}, () => resolve());
    });
  }

  #exit(code: number): void {
    this.#telemetry?.close();
    process.exit(code);
  }
}

/** Runs this process as a worker. @param open how to open the gateway that it serves */
export function runWorker(open: OpenGatewayFn): void {
  const worker = new RunningWorker(open);
  process.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start':
        void worker.start(message);
        return;
      case 'ask':
        void worker.answer(message.id, message.question);
        return;
      case 'drain':
        void worker.drain(message.graceMs);
        return;
      default: {
        const never: never = message;
        return never;
      }
    }
  });
  // The worker's own event, not the process's: right after it node:cluster ends the process on the spot, with
  // the requests that it has, unless it was told that the end is expected.
  cluster.worker?.on('disconnect', () => {
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    void worker.primaryLost();
  });
  process.on('SIGTERM', () => void worker.drain());
  for (const signal of LEFT_TO_THE_PRIMARY) process.on(signal, () => {});
}
