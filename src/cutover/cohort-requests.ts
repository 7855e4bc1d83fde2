/** What requests about cohorts want: the cohorts as they would be. Pure. */
import { randomUUID } from 'node:crypto';
import { isSameRamp } from '../decision/ramp.ts';
import type { Cohort, Stage } from '../model.ts';
import type { ChangeKind } from './change.ts';
import {
  ChangeRefusedError,
  type CohortEdit,
  CohortExistsError,
  type CohortRequest,
  type DirtyPolicy,
  type StageRequest,
  UnknownCohortError,
  WritesUnknownError,
} from './control.ts';
import { isTracked, nextEra } from './era.ts';
import { judgeCohorts } from './judge-cohorts.ts';
import type { Judged } from './start-change.ts';

/** The stage that a rollback leads to. */
export const ROLLBACK_STAGE: Stage = 'shadow';

export interface Wanted {
  readonly kind: ChangeKind;
  readonly cohort: string;
  readonly dirtyUsers: DirtyPolicy;
  /** All cohorts, in the new order of their rules. */
  readonly cohorts: readonly Cohort[];
  /** The order is another one. */
  readonly ordered?: boolean;
}

/** @throws UnknownCohortError */
export function cohortNamed(cohorts: readonly Cohort[], name: string): Cohort {
  const found = cohorts.find((each) => each.name === name);
  if (found === undefined) throw new UnknownCohortError(name);
  return found;
}

function replaced(cohorts: readonly Cohort[], next: Cohort): readonly Cohort[] {
  return cohorts.map((each) => {
    if (each.name === next.name) return next;
    // There is one default.
    return next.isDefault && each.isDefault ? { ...each, isDefault: false } : each;
  });
}

function isAt({ stage, ramp }: Cohort, from: Pick<Cohort, 'stage' | 'ramp'>): boolean {
  return stage === from.stage && isSameRamp(ramp, from.ramp);
}

export function wantedStage(cohorts: readonly Cohort[], request: StageRequest): Wanted {
  const before = cohortNamed(cohorts, request.cohort);
  const { onlyFrom } = request;
  if (onlyFrom !== undefined && !isAt(before, onlyFrom)) {
    throw new ChangeRefusedError(
      `cohort ${before.name} is not any more at the stage and ramp that this begins from`,
    );
  }
  const after = { ...before, stage: request.stage, ramp: request.ramp ?? before.ramp };
  return { ...request, kind: 'stage', cohorts: replaced(cohorts, { ...after, era: nextEra(before, after) }) };
}

export function wantedRollback(
  cohorts: readonly Cohort[],
  request: { readonly cohort: string; readonly dirtyUsers: DirtyPolicy },
): Wanted {
  const before = cohortNamed(cohorts, request.cohort);
  if (!['live', 'rampdown', 'complete'].includes(before.stage)) {
    throw new ChangeRefusedError(
      `cohort ${before.name} is in ${before.stage}: its users are served by legacy, and there is nothing to roll back`,
    );
  }
  const after = { ...before, stage: ROLLBACK_STAGE };
  const { cohort, dirtyUsers } = request;
  const next = replaced(cohorts, { ...after, era: nextEra(before, after) });
  return { kind: 'rollback', cohort, dirtyUsers, cohorts: next };
}

export function wantedCreation(cohorts: readonly Cohort[], request: CohortRequest): Wanted {
  const { name, rule, isDefault, migration, mirror, ramp } = request;
  if (cohorts.some((each) => each.name === name)) throw new CohortExistsError(name);
  // A salt of its own: a cohort that takes the name of one that is gone has other users in its ramp.
  const cohort: Cohort = { name, stage: 'off', ramp, salt: randomUUID(), rule, isDefault, migration, mirror };
  const rest = isDefault ? cohorts.map((each) => ({ ...each, isDefault: false })) : cohorts;
  return { kind: 'cohort-create', cohort: name, dirtyUsers: 'drain', cohorts: [...rest, cohort] };
}

export function wantedEdit(cohorts: readonly Cohort[], request: CohortEdit): Wanted {
  const before = cohortNamed(cohorts, request.cohort);
  const { rule, isDefault, migration, mirror, position, dirtyUsers } = request;
  const after: Cohort = {
    ...before,
    rule: rule === undefined ? before.rule : (rule ?? undefined),
    isDefault: isDefault ?? before.isDefault,
    migration: migration ?? before.migration,
    mirror: mirror ?? before.mirror,
  };
  const next = [...replaced(cohorts, { ...after, era: nextEra(before, after) })];
  const at = next.findIndex(({ name }) => name === before.name);
  const wanted = { kind: 'cohort-edit', cohort: before.name, dirtyUsers } as const;
  if (position === undefined || position === at) return { ...wanted, cohorts: next };
  next.splice(position, 0, ...next.splice(at, 1));
  return { ...wanted, cohorts: next, ordered: true };
}

export function wantedDeletion(cohorts: readonly Cohort[], cohort: string, dirtyUsers: DirtyPolicy): Wanted {
  cohortNamed(cohorts, cohort);
  const rest = cohorts.filter(({ name }) => name !== cohort);
  return { kind: 'cohort-delete', cohort, dirtyUsers, cohorts: rest };
}

/** @throws ChangeRefusedError, WritesUnknownError */
export function judgeWanted(before: readonly Cohort[], wanted: Wanted): Judged {
  const { kind, cohort, dirtyUsers, cohorts } = wanted;
  const judgement = judgeCohorts(before, cohorts);
  const { movesTruth, needsEveryGateway, held, own, goingBack } = judgement;
  if (judgement.unheld) {
    throw new ChangeRefusedError(
      'users of no cohort would move, and their writes cannot be held: give one cohort the default first',
    );
  }
  const untracked = goingBack.find((each) => !isTracked(each));
  if (untracked !== undefined && dirtyUsers !== 'force') throw new WritesUnknownError(untracked.name);
  const claimed = [...held, ...own];
  const known = new Map(before.map((each) => [each.name, JSON.stringify(each)]));
  const changed = cohorts.filter((each) => known.get(each.name) !== JSON.stringify(each));
  return {
    kind,
    cohort,
    dirtyUsers,
    goingOn: judgement.goingOn,
    movesTruth,
    needsEveryGateway,
    claims: { held, own: claimed.includes(cohort) ? own : [...own, cohort], shared: [], users: [] },
    judged: before,
    ...(kind === 'cohort-delete' ? {} : { after: cohorts.find(({ name }) => name === cohort) }),
    others: changed.filter(({ name }) => name !== cohort),
    ...(wanted.ordered === true ? { order: cohorts.map(({ name }) => name) } : {}),
  };
}
