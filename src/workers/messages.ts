/** What the primary and its workers say to each other. Structured clones, so `undefined` stays `undefined`. */
import type { ExplanationDocument, HypotheticalRequest, StatusDocument } from '../admin/admin-source.ts';
import type { Address, ConfigModel } from '../config/model.ts';
import type { ErrorCode } from '../errors.ts';
import type { Family } from '../telemetry/families.ts';

/** What one worker knows of itself and of the state map. */
export interface WorkerReport {
  readonly pid: number;
  readonly uptimeMs: number;
  readonly inFlight: number;
  readonly state: NonNullable<StatusDocument['stores']['state']>;
  readonly cohorts: StatusDocument['cohorts'];
}

export type Question =
  | { readonly kind: 'families' }
  | { readonly kind: 'report' }
  | { readonly kind: 'explain'; readonly request: HypotheticalRequest }
  | { readonly kind: 'reload'; readonly config: ConfigModel };

export type Answer =
  | { readonly kind: 'families'; readonly families: readonly Family[] }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'explain'; readonly explanation: ExplanationDocument }
  | { readonly kind: 'reload' }
  /** `code` where the failure is a row of the table of errors. */
  | { readonly kind: 'failure'; readonly message: string; readonly code: ErrorCode | undefined };

export type ToWorker =
  | {
      readonly type: 'start';
      readonly worker: string;
      /** What it calls itself among the gateways. */
      readonly gatewayId: string;
      readonly config: ConfigModel;
    }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Stop accepting, finish, say `drained`, exit. */
  | { readonly type: 'drain'; readonly graceMs: number };

export type FromWorker =
  | { readonly type: 'ready'; readonly address: Address }
  /** It could not start; `code` is the system's, such as `EADDRINUSE`. The worker exits. */
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** The last figures, so that none are lost with the process. */
  | { readonly type: 'drained'; readonly cut: number; readonly families: readonly Family[] };
