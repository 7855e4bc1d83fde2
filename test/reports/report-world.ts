/** Rows as a record would answer them. */
import type { GroupRow } from '../../src/reports/report-store.ts';

export const NOW = Date.UTC(2026, 5, 1, 12);

export function row(id: string, over: Partial<GroupRow> = {}): GroupRow {
  return {
    id,
    signature: `["orders","value","$.${id}","number>number"]`,
    route: 'orders',
    kind: 'value',
    pattern: `$.${id}`,
    types: 'number>number',
    weight: 50,
    raw: 100,
    confirmed: 90,
    transient: 5,
    flapping: 0,
    unconfirmed: 5,
    noise: 0,
    compared: 1_000,
    noiseReads: 100,
    firstSeen: NOW - 7_200_000,
    lastSeen: NOW - 1_000,
    lastConfirmed: NOW - 1_000,
    countedFrom: NOW - 7_200_000,
    status: 'open',
    statusSince: NOW - 7_200_000,
    ignoredUntil: undefined,
    owner: undefined,
    note: undefined,
    reopened: 0,
    reopenedAt: undefined,
    users: new Uint8Array(),
    cohorts: { staff: { raw: 40, confirmed: 30, noise: 0 } },
    samples: 0,
    ...over,
  };
}
