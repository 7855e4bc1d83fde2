/** Answers the admin listener for several workers: asks them, within bounds, and adds up. */
import {
  type AdminSource,
  type ExplanationDocument,
  type HypotheticalRequest,
  type Readiness,
  SourceUnavailable,
  type StatusDocument,
} from '../admin/admin-source.ts';
import { TurnoutError } from '../errors.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { renderFamilies } from '../telemetry/exposition.ts';
import { ENGINE_FAMILIES } from '../telemetry/guard-engine-metrics.ts';
import { mergeFamilies } from '../telemetry/merge-families.ts';
import { type WorkerState, workersFamily } from '../telemetry/worker-metrics.ts';
import type { WorkerReport } from './messages.ts';
import { statusDocument } from './status-document.ts';
import type { Supervisor } from './supervisor.ts';
import type { WorkerProcess } from './worker-process.ts';

/** What a scraper and a probe wait for a worker that does not answer. */
const WORKER_MS = 1_000;
const EXPLAIN_MS = 5_000;
/** Workers asked for one explanation, until one answers. */
const EXPLAIN_TRIES = 2;

export class SupervisedSource implements AdminSource {
  readonly #supervisor: Supervisor;
  readonly #telemetry: ProcessTelemetry;
  readonly #truthDigest: () => string;
  #turn = 0;

  /** @param telemetry the primary's own: its process metrics are part of the whole */
  constructor(supervisor: Supervisor, telemetry: ProcessTelemetry, truthDigest: () => string) {
    this.#supervisor = supervisor;
    this.#telemetry = telemetry;
    this.#truthDigest = truthDigest;
  }

  #ready(): WorkerProcess[] {
    return this.#supervisor.processes.filter(({ state }) => state === 'ready');
  }

  async readiness(): Promise<Readiness> {
    const { stopping, wanted } = this.#supervisor;
    const ready = this.#ready();
    const reports = await this.#reports();
    const status = stopping ? 'stopping' : ready.length === 0 ? 'starting' : 'ready';
    const detached = [...reports.values()].some(({ state }) => state.attachment !== 'attached');
    return { status, detached, workers: { ready: ready.length, wanted } };
  }

  /** Of those that answer in time. */
  async #reports(): Promise<Map<WorkerProcess, WorkerReport>> {
    const reports = new Map<WorkerProcess, WorkerReport>();
    await Promise.all(
      this.#ready().map(async (process) => {
        try {
          const answer = await process.ask({ kind: 'report' }, WORKER_MS);
          if (answer.kind === 'report') reports.set(process, answer.report);
        } catch {
          // Silent: it is listed without a report.
        }
      }),
    );
    return reports;
  }

  async metrics(): Promise<string> {
    const silent = new Set<WorkerProcess>();
    const asked = this.#supervisor.processes.filter(({ state }) => state !== 'starting' && state !== 'gone');
    const primary = this.#telemetry.families();
    await Promise.all(
      asked.map(async (process) => {
        try {
          await process.ask({ kind: 'families' }, WORKER_MS);
        } catch {
          silent.add(process);
        }
      }),
    );
    const own = (await primary).filter(
      (family) => family.kind === 'plain' && (family.merge === 'own' || ENGINE_FAMILIES.has(family.name)),
    );
    // From here to the sum without a pause: a worker that ends in between would be counted twice, or not at all.
    const { processes, past, waiting } = this.#supervisor;
    const states = processes.flatMap((process): WorkerState[] => {
      if (process.state === 'gone') return [];
      return [silent.has(process) ? 'silent' : process.state];
    });
    states.push(...Array.from({ length: waiting }, (): WorkerState => 'waiting'));
    const counted = processes.map(({ families }) => families);
    return renderFamilies(mergeFamilies([past, ...counted, own, [workersFamily(states)]]));
  }

  async explain(request: HypotheticalRequest): Promise<ExplanationDocument> {
    for (let tries = 0; tries < EXPLAIN_TRIES; tries += 1) {
      const ready = this.#ready();
      this.#turn += 1;
      const process = ready[this.#turn % Math.max(1, ready.length)];
      if (process === undefined) break;
      const answer = await process.ask({ kind: 'explain', request }, EXPLAIN_MS).catch(() => undefined);
      if (answer?.kind === 'explain') return answer.explanation;
      if (answer?.kind === 'failure' && answer.code !== undefined) throw new TurnoutError(answer.code);
      if (answer?.kind === 'failure') throw new Error(`a worker failed to explain: ${answer.message}`);
    }
    throw new SourceUnavailable('No worker is ready to answer. Try again in a moment.');
  }

  async status(): Promise<StatusDocument> {
    const reports = await this.#reports();
    const { config, address, processes, waiting } = this.#supervisor;
    const gateways = processes.map((process) => ({
      worker: process.worker,
      pid: process.pid,
      state: process.state === 'ready' && !reports.has(process) ? 'silent' : process.state,
      report: reports.get(process),
    }));
    for (let index = 0; index < waiting; index += 1) {
      gateways.push({ worker: '?', pid: 0, state: 'waiting', report: undefined });
    }
    return statusDocument({ config, address, truthDigest: this.#truthDigest(), gateways });
  }
}
