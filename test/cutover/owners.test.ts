/** What is judged of a change, held against the decision that gateways make: for every user and every request. */
import fc from 'fast-check';
import t from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import { cohortsAfter, goesBack, recordAfter } from '../../src/cutover/going-back.ts';
import { judgeCohorts } from '../../src/cutover/judge-cohorts.ts';
import { judgeUser } from '../../src/cutover/judge-users.ts';
import { ownersOf } from '../../src/cutover/owners.ts';
import { judgePin } from '../../src/cutover/user-requests.ts';
import { decide } from '../../src/decision/decide.ts';
import type { Backend, Cohort, Decision, UserRecord } from '../../src/model.ts';
import { STAGES } from '../../src/model.ts';
import { attributes, cohort, facts, placed, record, snapshot } from '../decision/fixtures.ts';

const NAMES = ['a', 'b', 'c'] as const;
/** A rule for each cohort, and a plan that no rule knows. */
const PLANS = [...NAMES, 'none'] as const;

function ruleOf(name: string): Cohort['rule'] {
  return { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: [name] };
}

const anyRamp = fc.oneof(
  fc.constantFrom(0, 2_500, 5_000, 10_000).map((buckets) => ({ kind: 'percent', buckets }) as const),
  fc.nat({ max: 3 }).map((count) => ({ kind: 'count', count }) as const),
);
const anyShape = fc.record({
  stage: fc.constantFrom(...STAGES),
  ramp: anyRamp,
  hasRule: fc.boolean(),
  migration: fc.constantFrom('cohort', 'cohort', 'per-user'),
});
type Shape = typeof anyShape extends fc.Arbitrary<infer T> ? T : never;

function cohortOf(name: string, { hasRule, ...rest }: Shape, fallback: string | undefined): Cohort {
  const rule = hasRule ? ruleOf(name) : undefined;
  return cohort({ ...rest, name, salt: name, rule, isDefault: name === fallback });
}

const anyFallback = fc.option(fc.constantFrom(...NAMES), { nil: undefined });
const anyCohorts = fc
  .record({ shapes: fc.tuple(anyShape, anyShape, anyShape), fallback: anyFallback })
  .map(({ shapes, fallback }) => NAMES.map((name, i) => cohortOf(name, shapes[i] ?? shapes[0], fallback)));

const anyUser = fc.nat({ max: 30 }).map((n) => `user ${n}`);
const anyMembership = fc.option(
  fc.oneof(
    fc.record({
      cohort: fc.constantFrom(...NAMES),
      ordinal: fc.nat({ max: 4 }),
      by: fc.constant('explicit'),
    }),
    fc.record({
      cohort: fc.constantFrom(...NAMES),
      ordinal: fc.constant(undefined),
      by: fc.constant('rule'),
    }),
  ),
  { nil: undefined },
);
const anyRecord = fc
  .record({
    pin: fc.constantFrom(undefined, undefined, 'legacy', 'new'),
    membership: anyMembership,
    state: fc.constantFrom(undefined, 'migrated'),
  })
  .map((parts): UserRecord => record(parts));

function decided(user: string, of: UserRecord, cohorts: readonly Cohort[], plan: string): Decision {
  const asked = facts('write', user, { attributes: attributes({ 'header.x-plan': plan }) });
  return decide(asked, snapshot(cohorts), of, 'legacy');
}

function targets(user: string, of: UserRecord, cohorts: readonly Cohort[]): Set<Backend> {
  return new Set(PLANS.map((plan) => decided(user, of, cohorts, plan).target));
}

function same(a: ReadonlySet<Backend>, b: ReadonlySet<Backend>): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

void t.test('who may own a user is whoever the decision may send it to', async (t) => {
  fc.assert(
    fc.property(anyUser, anyRecord, anyCohorts, (user, of, cohorts) => {
      const may = ownersOf(user, of, cohorts);
      const does = targets(user, of, cohorts);
      // A fallback whose rule is tried too, or a rule behind a default: never fewer than the decision finds.
      return of.membership !== undefined || of.pin !== undefined
        ? same(may, does)
        : [...does].every((owner) => may.has(owner));
    }),
    { numRuns: 3_000 },
  );
  t.same(
    [...ownersOf('nina', record({ membership: { cohort: 'gone', ordinal: 0, by: 'explicit' } }), [])],
    ['legacy', 'new'],
  );
});

const anyEdit: fc.Arbitrary<Pick<Change, 'kind' | 'cohort' | 'pin'>> = fc.oneof(
  fc.constantFrom('legacy', 'new').map((pin) => ({ kind: 'pin', pin, cohort: undefined }) as const),
  fc.constant({ kind: 'unpin', pin: undefined, cohort: undefined } as const),
  fc
    .tuple(fc.constantFrom('members-add', 'members-remove', 'reassign'), fc.constantFrom(...NAMES))
    .map(([kind, name]) => ({ kind, cohort: name, pin: undefined }) as const),
);

void t.test(
  'a change of users that holds nobody moves nobody; one that may move a dirty user back says so',
  async (t) => {
    fc.assert(
      fc.property(
        anyUser,
        anyRecord,
        anyCohorts,
        anyEdit,
        fc.nat({ max: 4 }),
        (user, of, cohorts, edit, ordinal) => {
          const judged = judgeUser(edit, { user, record: of }, cohorts);
          const next = recordAfter(edit, of);
          // The ordinal that a new member gets is not known before.
          const after =
            next.membership?.by === 'explicit' && next.membership.ordinal === undefined
              ? { ...next, membership: { ...next.membership, ordinal } }
              : next;
          const before = targets(user, of, cohorts);
          const then = targets(user, after, cohorts);
          const moves = PLANS.some((from) =>
            PLANS.some(
              (to) => decided(user, of, cohorts, from).target !== decided(user, after, cohorts, to).target,
            ),
          );
          if (moves && !judged.moves) return false;
          const back = before.has('new') && then.has('legacy');
          return !back || goesBack({ ...edit, after: undefined }, user, of, cohorts);
        },
      ),
      { numRuns: 3_000 },
    );
    t.pass();
  },
);

const anyCohortEdit = fc.record({
  at: fc.nat({ max: 2 }),
  shape: anyShape,
  fallback: fc.constantFrom('as it is', 'this', 'nobody'),
  position: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
  deleted: fc.boolean(),
});

function edited(
  cohorts: readonly Cohort[],
  edit: typeof anyCohortEdit extends fc.Arbitrary<infer T> ? T : never,
) {
  const { at, shape, fallback, position, deleted } = edit;
  const name = NAMES[at] ?? 'a';
  const isDefault = cohorts[at]?.isDefault === true;
  const keeps = fallback === 'as it is' ? isDefault : fallback === 'this';
  const after = { ...cohortOf(name, shape, undefined), isDefault: keeps };
  const change = { kind: deleted ? 'cohort-delete' : 'cohort-edit', cohort: name, after } as const;
  const next = [...cohortsAfter(change, cohorts)];
  if (position !== undefined && !deleted) next.splice(position, 0, ...next.splice(at, 1));
  return { change, next };
}

void t.test('a change of definitions holds whoever it moves, and says who may go back', async (t) => {
  fc.assert(
    fc.property(anyUser, anyRecord, anyCohorts, anyCohortEdit, (user, of, cohorts, edit) => {
      const { change, next } = edited(cohorts, edit);
      const name = change.cohort;
      // Members have left a cohort before it is deleted.
      const is: UserRecord =
        of.membership?.cohort === name && edit.deleted ? { ...of, membership: undefined } : of;
      const judged = judgeCohorts(cohorts, next);
      return PLANS.every((plan) => {
        const before = decided(user, is, cohorts, plan);
        const after = decided(user, is, next, plan);
        if (before.target === after.target) return true;
        if (!judged.movesTruth) return false;
        if (after.target === 'legacy' && judged.goingBack.length === 0) return false;
        if (after.target === 'legacy' && !goesBack({ ...change, pin: undefined }, user, is, cohorts))
          return false;
        if (judged.unheld) return true;
        return [before.cohort, after.cohort].every(
          (held) => held !== undefined && judged.held.includes(held),
        );
      });
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

/** The stage by which a gateway that lost the map tells whether it may go on. */
function isFenced({ cohort: name }: Decision, cohorts: readonly Cohort[]): boolean {
  const stage = cohorts.find((each) => each.name === name)?.stage;
  return stage !== undefined && stage !== 'off' && stage !== 'complete';
}

void t.test('whom a gateway that lost the map goes on serving is moved by none without it', async (t) => {
  fc.assert(
    fc.property(anyUser, anyRecord, anyCohorts, anyCohortEdit, (user, of, cohorts, edit) => {
      const is: UserRecord = { ...of, pin: undefined, membership: undefined };
      const { next } = edited(cohorts, edit);
      const { needsEveryGateway, unheld } = judgeCohorts(cohorts, next);
      if (needsEveryGateway || unheld) return true;
      return PLANS.every((plan) => {
        const lost = decided(user, is, cohorts, plan);
        if (lost.place !== undefined || isFenced(lost, cohorts)) return true;
        return PLANS.every(
          (other) =>
            decided(user, is, cohorts, other).target !== lost.target ||
            decided(user, is, next, other).target === lost.target,
        );
      });
    }),
    { numRuns: 20_000 },
  );
  const off = cohort({ name: 'pro', rule: ruleOf('pro') });
  const every = cohort({ name: 'all', isDefault: true });
  const at = (stage: Cohort['stage'], ...others: readonly Cohort[]) => [{ ...every, stage }, ...others];
  t.match(judgeCohorts(at('shadow', off), at('live', off)), { needsEveryGateway: true });
  t.match(
    judgeCohorts(at('live', off), at('shadow', off)),
    { needsEveryGateway: false },
    'not on the way back',
  );
  t.match(judgeCohorts(at('shadow'), at('live')), { needsEveryGateway: false }, 'where nobody is off');
  const staff = cohort({ name: 'staff', stage: 'live', rule: ruleOf('staff') });
  t.match(
    judgeCohorts(at('shadow', off, staff), at('live', off, staff)),
    { needsEveryGateway: false },
    'where nobody is served without a membership',
  );
});

void t.test('nobody is held where every truth is legacy', async (t) => {
  const off = [
    cohort({ name: 'a', isDefault: true }),
    cohort({ name: 'b', stage: 'shadow', rule: ruleOf('b') }),
  ];
  const made = [...off, cohort({ name: 'c', rule: ruleOf('c') })];
  t.match(judgeCohorts(off, made), {
    movesTruth: false,
    held: [],
    own: ['c', 'a', 'b'],
    needsEveryGateway: true,
  });
  const live = [cohort({ name: 'a', isDefault: true, stage: 'live' })];
  t.match(judgeCohorts(live, [...live, cohort({ name: 'c', rule: ruleOf('c') })]), {
    movesTruth: true,
    held: ['a', 'c'],
    needsEveryGateway: false,
    unheld: false,
  });
});

void t.test('who may fall into a cohort keeps others from changing it, hold or not', async (t) => {
  const rule = { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['pro'] } as const;
  const cohorts = [
    cohort({ name: 'pro', stage: 'live', rule }),
    cohort({ name: 'all', stage: 'off', isDefault: true }),
    cohort({ name: 'team', stage: 'live' }),
  ];
  const reassigned = judgeUser(
    { kind: 'reassign', cohort: 'pro', pin: undefined },
    { user: 'nina', record: placed('pro') },
    cohorts,
  );
  t.match(reassigned, { moves: true, comesTo: ['pro', 'all'] });
  const pinned: UserRecord = { ...placed('all'), pin: 'new' };
  const users = { readUsers: async () => new Map([['nina', pinned]]) };
  const unpin = await judgePin(
    {
      user: 'nina',
      backend: undefined,
      dirtyUsers: 'force',
      actor: 'ops',
      reason: 'test',
      expectedEpoch: undefined,
      idempotencyKey: undefined,
    },
    cohorts,
    users,
    { writesOf: async () => new Map() },
  );
  t.match(unpin, { movesTruth: true, claims: { users: ['nina'], shared: ['all'] } });
});
