/** Slots for tests, from few words. */
import type { Condition, Metric } from '../../src/guard/condition.ts';
import {
  type Counts,
  type FailureKind,
  latencyBin,
  NO_COUNTS,
  type SideSlot,
  type Slot,
} from '../../src/guard/slot.ts';

export function made(metric: Metric, over: number | undefined, rest: Partial<Condition> = {}): Condition {
  return {
    name: metric,
    metric,
    over,
    overLegacy: undefined,
    windowMs: 30_000,
    minRequests: 50,
    windows: { over: 3, of: 5 },
    confidence: 0.99,
    action: 'rollback',
    cohorts: undefined,
    ...rest,
  };
}

/** @param ms of all of them, unless `latency` is given */
export function counts(requests: number, failed = 0, ms = 20, rest: Partial<Counts> = {}): Counts {
  const latency = new Map(requests > 0 ? [[latencyBin(ms), requests]] : []);
  return { ...NO_COUNTS, requests, failed, latency, ...rest };
}

export interface SideParts {
  readonly gateways: Readonly<Record<string, Counts>>;
  readonly groups: readonly Counts[];
  readonly kinds?: Partial<Record<FailureKind, number>>;
}

export function side({ gateways, groups, kinds = {} }: SideParts): SideSlot {
  return {
    byGateway: new Map(Object.entries(gateways)),
    byGroup: new Map(
      groups.map((group, at): [number, Counts] => [at, group]).filter(([, g]) => g !== NO_COUNTS),
    ),
    kinds,
  };
}

export const NOTHING: SideSlot = side({ gateways: {}, groups: [] });

export function slot(second: number, fresh: SideSlot, legacy = NOTHING, mirrorBacklog?: number): Slot {
  return { second, new: fresh, legacy, mirrorBacklog };
}

/** Divided evenly among 16 groups and over the gateways; what is left goes to the first ones. */
export function even(all: Counts, gateways = 1): SideSlot {
  const shares = (of: number, parts: number): number[] =>
    Array.from({ length: parts }, (_, at) => Math.floor(of / parts) + (at < of % parts ? 1 : 0));
  const divide = (parts: number): Counts[] => {
    const fields = (['requests', 'failed', 'stalled', 'late', 'compared', 'mismatched'] as const).map(
      (field): [string, number[]] => [field, shares(all[field], parts)],
    );
    const bins = [...all.latency].map(([bin, n]): [number, number[]] => [bin, shares(n, parts)]);
    return Array.from({ length: parts }, (_, at) => ({
      ...NO_COUNTS,
      ...Object.fromEntries(fields.map(([field, parted]) => [field, parted[at] ?? 0])),
      latency: new Map(bins.map(([bin, parted]): [number, number] => [bin, parted[at] ?? 0])),
    }));
  };
  return {
    byGroup: new Map(divide(16).map((one, at): [number, Counts] => [at, one])),
    byGateway: new Map(divide(gateways).map((one, at): [string, Counts] => [`g${at + 1}`, one])),
    kinds: all.failed > 0 ? { status: all.failed } : {},
  };
}

/** Seconds from..to, each with the same counts. */
export function seconds(from: number, to: number, fresh: SideSlot, legacy = NOTHING): Slot[] {
  return Array.from({ length: to - from + 1 }, (_, at) => slot(from + at, fresh, legacy));
}

/** Requests of one group of users at one gateway. */
export interface Cell {
  readonly group: number;
  readonly gateway: number;
  readonly counts: Counts;
}

/** Both divisions of the same requests. */
export function sideOf(cells: readonly Cell[]): SideSlot {
  const byGroup = new Map<number, Counts>();
  const byGateway = new Map<string, Counts>();
  for (const { group, gateway, counts: one } of cells) {
    byGroup.set(group, sum(byGroup.get(group) ?? NO_COUNTS, one));
    byGateway.set(`g${gateway}`, sum(byGateway.get(`g${gateway}`) ?? NO_COUNTS, one));
  }
  return { byGroup, byGateway, kinds: {} };
}

function sum(a: Counts, b: Counts): Counts {
  const latency = new Map(a.latency);
  for (const [bin, n] of b.latency) latency.set(bin, (latency.get(bin) ?? 0) + n);
  return {
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    stalled: a.stalled + b.stalled,
    late: a.late + b.late,
    compared: a.compared + b.compared,
    mismatched: a.mismatched + b.mismatched,
    latency,
  };
}
