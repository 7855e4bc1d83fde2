/** Snapshots and facts for the tests of the decision. */
import type {
  AttributeRef,
  Attributes,
  Cohort,
  Facts,
  Hold,
  RequestClass,
  RoutePolicy,
  Snapshot,
  UserRecord,
} from '../../src/model.ts';
import { ABSENT_RECORD } from '../../src/model.ts';

export function cohort(changes: Partial<Cohort> = {}): Cohort {
  return {
    name: 'everyone',
    stage: 'off',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: 'everyone',
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: true,
    ...changes,
  };
}

export interface Holds {
  readonly cohorts?: Record<string, Hold>;
  readonly users?: Record<string, Hold>;
}

export function snapshot(cohorts: readonly Cohort[], holds: Holds = {}): Snapshot {
  return Object.freeze({
    mapId: 'map',
    epoch: 1,
    cohorts,
    cohortByName: new Map(cohorts.map((one) => [one.name, one])),
    defaultCohort: cohorts.find((one) => one.isDefault),
    cohortHolds: new Map(Object.entries(holds.cohorts ?? {})),
    userHolds: new Map(Object.entries(holds.users ?? {})),
  });
}

export const ROUTE: RoutePolicy = { name: 'api', backend: undefined, shadow: true, mirror: true };

export function attributes(values: Record<string, string> = {}): Attributes {
  return {
    attribute: (ref: AttributeRef) => values[ref.name === '' ? ref.source : `${ref.source}.${ref.name}`],
  };
}

export function facts(
  requestClass: RequestClass,
  user: string | undefined,
  changes: Partial<Facts> = {},
): Facts {
  return {
    route: ROUTE,
    class: requestClass,
    user,
    attributes: attributes(),
    stickyKey: undefined,
    ...changes,
  };
}

export function record(changes: Partial<UserRecord> = {}): UserRecord {
  return { ...ABSENT_RECORD, ...changes };
}

/** Added by name, as number `ordinal`. */
export function member(cohortName: string, ordinal = 0): UserRecord {
  return record({ membership: { cohort: cohortName, ordinal, by: 'explicit' } });
}

/** Placed by a rule, on an earlier request. */
export function placed(cohortName: string): UserRecord {
  return record({ membership: { cohort: cohortName, ordinal: undefined, by: 'rule' } });
}
