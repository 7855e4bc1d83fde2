/** The answer of `GET /api/v1/status`, from what is known of each worker. */
import type { StatusDocument } from '../admin/admin-source.ts';
import type { Address, ConfigModel } from '../config/model.ts';
import { VERSION } from '../telemetry/version.ts';
import type { WorkerReport } from './messages.ts';

export interface KnownGateway {
  readonly worker: string;
  readonly pid: number;
  readonly state: string;
  /** `undefined` when it did not answer. */
  readonly report: WorkerReport | undefined;
}

export interface StatusParts {
  readonly config: ConfigModel;
  /** Where the gateway listens. */
  readonly address: Address;
  readonly truthDigest: string;
  readonly gateways: readonly KnownGateway[];
}

function gatewayStatus({ worker, pid, state, report }: KnownGateway): StatusDocument['gateways'][number] {
  return {
    worker,
    pid,
    state,
    uptimeMs: report?.uptimeMs ?? 0,
    epoch: report?.state.epoch ?? null,
    attachment: attachmentOf(report),
    inFlight: report?.inFlight ?? 0,
  };
}

function attachmentOf(report: WorkerReport | undefined): StatusDocument['gateways'][number]['attachment'] {
  switch (report?.state.attachment) {
    case 'attached':
    case 'detached':
    case 'fenced':
      return report.state.attachment;
    default:
      return null;
  }
}

/** Cohorts and stores are told by the worker that has the latest epoch. */
export function statusDocument({ config, address, truthDigest, gateways }: StatusParts): StatusDocument {
  const reports = gateways.flatMap(({ report }) => (report === undefined ? [] : [report]));
  const [latest] = reports.toSorted((a, b) => b.state.epoch - a.state.epoch);
  return {
    version: VERSION,
    uptimeMs: process.uptime() * 1_000,
    truthDigest,
    config: { file: config.file, workers: gateways.length },
    listen: { host: address.host, port: address.port },
    gateways: gateways.map(gatewayStatus),
    stores: { state: latest?.state ?? null, record: { kind: config.record.kind } },
    cohorts: latest?.cohorts ?? [],
  };
}
