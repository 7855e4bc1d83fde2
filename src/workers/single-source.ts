/** Answers the admin listener for a gateway in this very process. */
import {
  type AdminSource,
  type ExplanationDocument,
  type HypotheticalRequest,
  type Readiness,
  SourceUnavailable,
  type StatusDocument,
} from '../admin/admin-source.ts';
import type { ConfigModel } from '../config/model.ts';
import { truthDigest } from '../config/truth-digest.ts';
import type { Control } from '../cutover/control.ts';
import type { GuardControl } from '../guard/guard-control.ts';
import type { ReportReader } from '../reports/create-report-reader.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { renderFamilies } from '../telemetry/exposition.ts';
import { workersFamily } from '../telemetry/worker-metrics.ts';
import { reportOf } from './gateway-report.ts';
import type { OpenGateway } from './open-gateway.ts';
import { statusDocument } from './status-document.ts';

const WORKER_STATE = { starting: 'starting', ready: 'ready', stopping: 'draining' } as const;

export class SingleSource implements AdminSource {
  readonly #telemetry: ProcessTelemetry;
  /** The one in force; a reload replaces it. */
  config: ConfigModel;
  #gateway: OpenGateway | undefined;
  #servingSinceMs = 0;
  #stopping = false;

  constructor(config: ConfigModel, telemetry: ProcessTelemetry) {
    this.config = config;
    this.#telemetry = telemetry;
  }

  /** From now on it is ready. */
  serves(gateway: OpenGateway): void {
    this.#gateway = gateway;
    this.#servingSinceMs = performance.now();
  }

  /** From now on it is not. */
  stops(): void {
    this.#stopping = true;
  }

  /** Of the gateway that serves. */
  get control(): Control | undefined {
    return this.#gateway?.control;
  }

  /** Of the gateway that serves. */
  get guard(): GuardControl | undefined {
    return this.#gateway?.guard;
  }

  /** Of the gateway that serves. */
  get reports(): ReportReader | undefined {
    return this.#gateway?.reports;
  }

  get #status(): Readiness['status'] {
    if (this.#stopping) return 'stopping';
    return this.#gateway === undefined ? 'starting' : 'ready';
  }

  #serving(): OpenGateway {
    if (this.#gateway === undefined) throw new SourceUnavailable('The gateway is still starting.');
    return this.#gateway;
  }

  async readiness(): Promise<Readiness> {
    const status = this.#gateway?.state.status();
    return {
      status: this.#status,
      detached: status !== undefined && status.attachment !== 'attached',
      workers: { ready: this.#status === 'ready' ? 1 : 0, wanted: 1 },
    };
  }

  async metrics(): Promise<string> {
    const families = await this.#telemetry.families();
    return renderFamilies([...families, workersFamily([WORKER_STATE[this.#status]])]);
  }

  async explain(request: HypotheticalRequest): Promise<ExplanationDocument> {
    return this.#serving().explain(request);
  }

  async status(): Promise<StatusDocument> {
    const gateway = this.#gateway;
    const report =
      gateway === undefined ? undefined : reportOf(gateway, performance.now() - this.#servingSinceMs);
    return statusDocument({
      config: this.config,
      address: gateway?.address ?? this.config.listen,
      truthDigest: truthDigest(this.config),
      gateways: [{ worker: '1', pid: process.pid, state: WORKER_STATE[this.#status], report }],
    });
  }
}
