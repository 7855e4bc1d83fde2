import type {
  AdminSource,
  ExplanationDocument,
  HypotheticalRequest,
  Readiness,
  StatusDocument,
} from '../../src/admin/admin-source.ts';

export const EXPLANATION: ExplanationDocument = {
  method: 'GET',
  path: '/api/orders',
  route: 'api',
  class: 'read',
  user: 'u1',
  identity: ['the user was given'],
  decision: {
    target: 'new',
    shadow: undefined,
    mirror: undefined,
    held: false,
    ownerUnknown: false,
    cohort: 'staff',
    stage: 'live',
    place: undefined,
    reasons: [{ code: 'cohort-rule', cohort: 'staff' }],
  },
  sentences: ['The rule of cohort staff matches.'],
  epoch: 4,
};

export const STATUS: StatusDocument = {
  version: '0.1.0',
  uptimeMs: 12,
  truthDigest: 'abc',
  config: { file: 'turnout.yaml', workers: 1 },
  listen: { host: '127.0.0.1', port: 8080 },
  gateways: [
    { worker: '1', pid: 1, state: 'ready', uptimeMs: 12, epoch: 4, attachment: 'attached', inFlight: 0 },
  ],
  stores: { state: null, record: { kind: 'embedded' } },
  cohorts: [
    {
      name: 'staff',
      stage: 'live',
      ramp: '100 %',
      default: false,
      migration: 'cohort',
      mirror: false,
      held: false,
    },
  ],
};

/** Answers what it is told to, and keeps what it was asked. */
export class FakeSource implements AdminSource {
  ready: Readiness = { status: 'ready', detached: false, workers: { ready: 1, wanted: 1 } };
  readonly asked: HypotheticalRequest[] = [];
  failure: Error | undefined;

  async readiness(): Promise<Readiness> {
    return this.ready;
  }

  async metrics(): Promise<string> {
    return 'turnout_epoch 4\n';
  }

  async explain(request: HypotheticalRequest): Promise<ExplanationDocument> {
    this.asked.push(request);
    if (this.failure !== undefined) throw this.failure;
    return EXPLANATION;
  }

  statusDocument: StatusDocument = STATUS;

  async status(): Promise<StatusDocument> {
    return this.statusDocument;
  }
}
