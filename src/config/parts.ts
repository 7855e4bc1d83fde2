/**
 * The parts of a configuration, each read as soon as its own shape is right, so that one mistake does not hide
 * the others; and the checks between parts, each as soon as the parts it needs are there.
 */
import type { TSchema } from '@sinclair/typebox';
import type { ConditionWritten, HookSettings } from '../guard/guard-settings.ts';
import type { RampPlan } from '../guard/ramp-plan.ts';
import type { Cohort } from '../model.ts';
import { readBackend } from './backends.ts';
import { checkCohortsTogether, readCohort } from './cohorts.ts';
import { checkConditionsTogether, checkHooksTogether, readCondition, readHook, readPlan } from './guard.ts';
import {
  ConditionSchema,
  HookSchema,
  type HookWritten,
  RampPlanSchema,
  type RampPlanWritten,
} from './guard-schema.ts';
import { readIdentity } from './identity.ts';
import { IdentitySchema, type IdentityWritten } from './identity-schema.ts';
import {
  checkAdminGuarded,
  checkListenersApart,
  checkTokensUnique,
  readAddress,
  readListen,
  readToken,
} from './listeners.ts';
import type {
  Address,
  BackendModel,
  IdentitySource,
  ListenModel,
  RecordModel,
  StateModel,
  TokenModel,
} from './model.ts';
import { childAt, isMapping, type Place } from './place.ts';
import { checkProxyRanges } from './proxy-ranges.ts';
import type { Reading } from './reading.ts';
import { CohortSchema, type CohortWritten, RouteSchema, type RouteWritten } from './route-schema.ts';
import { checkRoutesTogether, type ReadRoute, readRoute } from './routes.ts';
import { attributesOf, readRule } from './rule.ts';
import {
  AdminSchema,
  BackendSchema,
  type BackendWritten,
  CutoverSchema,
  type CutoverWritten,
  ForwardingSchema,
  ListenSchema,
  type ListenWritten,
  RecordSchema,
  type RecordWritten,
  StateSchema,
  type StateWritten,
  TokenSchema,
  type TokenWritten,
  WorkersSchema,
} from './schema.ts';
import { shapeOf } from './shape.ts';
import { checkOneProcess, readRecord, readState } from './stores.ts';

/** What was read; `undefined` where there was a problem. */
export interface Parts {
  readonly listen: ListenModel | undefined;
  readonly adminListen: Address | undefined;
  readonly tokens: readonly (TokenModel | undefined)[];
  readonly legacy: BackendModel | undefined;
  readonly new: BackendModel | undefined;
  readonly state: StateModel | undefined;
  readonly record: RecordModel | undefined;
  readonly identity: readonly (IdentitySource | undefined)[];
  readonly cohorts: readonly (Cohort | undefined)[];
  readonly routes: readonly (ReadRoute | undefined)[];
  readonly conditions: readonly (ConditionWritten | undefined)[];
  readonly hooks: readonly (HookSettings | undefined)[];
  readonly plans: ReadonlyMap<string, RampPlan | undefined>;
}

/** Reads one part whose place is known. */
type Reader<M> = (root: unknown, place: Place, reading: Reading) => M | undefined;

function part<W, M>(
  schema: TSchema,
  read: (written: W, place: Place, reading: Reading) => M | undefined,
): Reader<M> {
  const shape = shapeOf<W>(schema);
  return (root, place, reading) => {
    const value = place.reduce(childAt, root);
    const isShaped = shape();
    return isShaped(value) ? read(value, place, reading) : undefined;
  };
}

/** Lists are no longer than this; what is behind it in one that is longer, which the schema refuses, is not read. */
const ITEMS_MAX = 1000;

/** The same for every item of a list. */
function listOf<M>(
  readOne: Reader<M>,
  root: unknown,
  place: Place,
  reading: Reading,
): readonly (M | undefined)[] {
  const value = place.reduce(childAt, root);
  const items: readonly unknown[] = Array.isArray(value) ? value.slice(0, ITEMS_MAX) : [];
  return items.map((_, index) => readOne(root, [...place, index], reading));
}

/** The same for every value of a mapping whose keys are names. */
function mapOf<M>(
  readOne: Reader<M>,
  root: unknown,
  place: Place,
  reading: Reading,
): ReadonlyMap<string, M | undefined> {
  const value = place.reduce(childAt, root);
  const names = isMapping(value) ? Object.keys(value).slice(0, ITEMS_MAX) : [];
  return new Map(names.map((name) => [name, readOne(root, [...place, name], reading)]));
}

const listenAt = part<ListenWritten, ListenModel>(ListenSchema, readListen);
const addressAt = part<Address, Address>(AdminSchema.properties.listen, readAddress);
const tokenAt = part<TokenWritten, TokenModel>(TokenSchema, readToken);
const backendAt = part<BackendWritten, BackendModel>(BackendSchema, readBackend);
const stateAt = part<StateWritten, StateModel>(StateSchema, readState);
const recordAt = part<RecordWritten, RecordModel>(RecordSchema, readRecord);
const identityAt = part<IdentityWritten, IdentitySource>(IdentitySchema, readIdentity);
const cohortAt = part<CohortWritten, Cohort>(CohortSchema, readCohort);
/** A cohort that cannot be read still has its rule looked at: rules are where most of the mistakes are. */
const cohortOrRuleAt: Reader<Cohort> = (root, place, reading) => {
  const cohort = cohortAt(root, place, reading);
  const rule = childAt(place.reduce(childAt, root), 'rule');
  if (cohort === undefined && isMapping(rule)) readRule(rule, [...place, 'rule'], reading);
  return cohort;
};
const routeAt = part<RouteWritten, ReadRoute>(RouteSchema, readRoute);
const conditionAt = part<ConditionWritten, ConditionWritten>(ConditionSchema, readCondition);
const hookAt = part<HookWritten, HookSettings>(HookSchema, readHook);
const planAt = part<RampPlanWritten, RampPlan>(RampPlanSchema, readPlan);
const workersAt = part<number | 'auto', number | 'auto'>(WorkersSchema, (written) => written);
const cutoverAt = part<CutoverWritten, true>(CutoverSchema, (written, place, { report }) => {
  if (written.drainMaxMs < written.holdMaxMs) return true;
  report.problem(
    [...place, 'drainMaxMs'],
    'expected less than `holdMaxMs`: a flip that cannot succeed has to give up before a held write does',
  );
  return undefined;
});
const proxiesAt = part<readonly string[], void>(ForwardingSchema.properties.trustedProxies, checkProxyRanges);

/**
 * @param root the whole configuration, defaults filled in, of any shape
 * @returns what could be read; the report has the rest
 */
export function readParts(root: unknown, reading: Reading): Parts {
  const parts: Parts = {
    listen: listenAt(root, ['listen'], reading),
    adminListen: addressAt(root, ['admin', 'listen'], reading),
    tokens: listOf(tokenAt, root, ['admin', 'tokens'], reading),
    legacy: backendAt(root, ['backends', 'legacy'], reading),
    new: backendAt(root, ['backends', 'new'], reading),
    state: stateAt(root, ['state'], reading),
    record: recordAt(root, ['record'], reading),
    identity: listOf(identityAt, root, ['identity'], reading),
    cohorts: listOf(cohortOrRuleAt, root, ['cohorts'], reading),
    routes: listOf(routeAt, root, ['routes'], reading),
    conditions: listOf(conditionAt, root, ['guard', 'conditions'], reading),
    hooks: listOf(hookAt, root, ['guard', 'hooks'], reading),
    plans: mapOf(planAt, root, ['guard', 'ramps'], reading),
  };
  cutoverAt(root, ['cutover'], reading);
  proxiesAt(root, ['forwarding', 'trustedProxies'], reading);
  checkTogether(parts, workersAt(root, ['workers'], reading), reading);
  return parts;
}

function checkTogether(parts: Parts, workers: number | 'auto' | undefined, reading: Reading): void {
  const { listen, adminListen, tokens, state, record } = parts;
  checkTokensUnique(tokens, ['admin', 'tokens'], reading);
  checkCohortsTogether(parts.cohorts, ['cohorts'], reading);
  checkRoutesTogether(parts.routes, ['routes'], reading);
  checkConditionsTogether(parts.conditions, ['guard', 'conditions'], reading);
  checkHooksTogether(parts.hooks, ['guard', 'hooks'], reading);
  checkPathNames(parts, reading);
  if (adminListen !== undefined) checkAdminGuarded(adminListen, tokens.length, reading);
  if (listen !== undefined && adminListen !== undefined) checkListenersApart(listen, adminListen, reading);
  if (workers !== undefined && state !== undefined && record !== undefined) {
    checkOneProcess(workers, state, record, reading);
  }
}

/** A path parameter that identity or a rule asks for has to be in some route. */
function checkPathNames({ routes, identity, cohorts }: Parts, { report }: Reading): void {
  // A route that could not be read may be the one that has the name.
  if (routes.includes(undefined)) return;
  const names = new Set(routes.flatMap((route) => route?.pattern.paramNames ?? []));
  identity.forEach((source, index) => {
    if (source?.from !== 'path' || names.has(source.name)) return;
    report.problem(['identity', index, 'name'], `no route captures \`:${source.name}\` in its path`);
  });
  cohorts.forEach((cohort, index) => {
    if (cohort?.rule === undefined) return;
    for (const { source, name } of attributesOf(cohort.rule)) {
      if (source !== 'path' || names.has(name)) continue;
      report.problem(['cohorts', index, 'rule'], `no route captures \`:${name}\` in its path`);
    }
  });
}
