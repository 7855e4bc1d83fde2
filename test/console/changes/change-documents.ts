/** Changes as the API writes them, for tests that say only what they are about. */
import type { Acknowledgement, ChangeInProgressDocument } from '../../../src/admin/control-documents.ts';

export function changeDocument(more: Partial<ChangeInProgressDocument> = {}): ChangeInProgressDocument {
  return {
    id: 'c1',
    kind: 'stage',
    cohort: 'beta',
    user: null,
    pin: null,
    users: 0,
    job: null,
    from: null,
    to: null,
    dirtyUsers: 'drain',
    dirty: 0,
    movesTruth: true,
    needsEveryGateway: false,
    phase: 'pending',
    epoch: null,
    epochs: { hold: null, switch: null, release: null },
    actor: 'ops',
    reason: 'the day',
    note: null,
    createdAt: '2026-11-21T09:00:00.000Z',
    endedAt: null,
    gateways: [],
    ...more,
  };
}

export function acknowledgement(id: string, more: Partial<Acknowledgement> = {}): Acknowledgement {
  return { id, where: `host ${id}`, state: 'live', applied: 4, drained: 4, acknowledged: false, ...more };
}
