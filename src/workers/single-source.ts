/** Answers the admin listener for a gateway in this very process. */
import type {
  AdminSource,
  ExplanationDocument,
  HypotheticalRequest,
  Readiness,
  StatusDocument,
} from '../admin/admin-source.ts';
import type { ConfigModel } from '../config/model.ts';
import type { ProcessTelemetry } from '../telemetry/create-telemetry.ts';
import { renderFamilies } from '../telemetry/exposition.ts';
import { workersFamily } from '../telemetry/worker-metrics.ts';
import { reportOf } from './gateway-report.ts';
import type { OpenGateway } from './open-gateway.ts';
import { statusDocument } from './status-document.ts';

export interface SingleGateway {
  readonly gateway: OpenGateway;
  readonly telemetry: ProcessTelemetry;
  readonly sinceMs: number;
  readonly stopping: () => boolean;
  readonly config: () => ConfigModel;
  readonly truthDigest: () => string;
}

export class SingleSource implements AdminSource {
  readonly #single: SingleGateway;

  constructor(single: SingleGateway) {
    this.#single = single;
  }

  async readiness(): Promise<Readiness> {
    const { gateway, stopping } = this.#single;
    return {
      status: stopping() ? 'stopping' : 'ready',
      detached: gateway.state.status().attachment !== 'attached',
      workers: { ready: 1, wanted: 1 },
    };
  }

  async metrics(): Promise<string> {
    const { telemetry, stopping } = this.#single;
    const families = await telemetry.families();
    return renderFamilies([...families, workersFamily([stopping() ? 'draining' : 'ready'])]);
  }

  async explain(request: HypotheticalRequest): Promise<ExplanationDocument> {
    return this.#single.gateway.explain(request);
  }

  async status(): Promise<StatusDocument> {
    const { gateway, sinceMs, stopping, config, truthDigest } = this.#single;
    const report = reportOf(gateway, performance.now() - sinceMs);
    const state = stopping() ? 'draining' : 'ready';
    return statusDocument({
      config: config(),
      address: gateway.address,
      truthDigest: truthDigest(),
      gateways: [{ worker: '1', pid: process.pid, state, report }],
    });
  }
}
