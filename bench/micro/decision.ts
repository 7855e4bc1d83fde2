/**
 * What does one cached decision cost? Prints nanoseconds for the decision, for what surrounds it (the route,
 * the hash of the ramp), as the median of repeated rounds; the warm-up rounds are thrown away.
 *
 *   node bench/micro/decision.ts
 */
import { decide } from '../../src/decision/decide.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import type { Cohort, Facts, RoutePolicy, Snapshot, UserRecord } from '../../src/model.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import type { Route } from '../../src/routing/router.ts';
import { AMBIGUOUS, compileRoutes } from '../../src/routing/router.ts';

const USERS = 4_096;
const CALLS = 400_000;
const WARM_UP = 3;
const ROUNDS = 11;

const users = Array.from({ length: USERS }, (_, i) => `user-${String(i * 7_919).padStart(10, '0')}`);
const planOf = new Map(users.map((user, i) => [user, i % 3 === 0 ? 'paid' : 'free']));

function cohort(changes: Partial<Cohort>): Cohort {
  return {
    name: 'everyone',
    stage: 'live',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: 'everyone',
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: true,
    ...changes,
  };
}

function snapshot(cohorts: readonly Cohort[]): Snapshot {
  return {
    mapId: 'map',
    epoch: 1,
    cohorts,
    cohortByName: new Map(cohorts.map((one) => [one.name, one])),
    defaultCohort: cohorts.find((one) => one.isDefault),
    cohortHolds: new Map(),
    userHolds: new Map(),
  };
}

const policy: RoutePolicy = { name: 'api', backend: undefined, shadow: true, mirror: true };

/** As the gateway has it: an object for a request that answers for its own attributes. */
class RequestFacts implements Facts {
  readonly route = policy;
  readonly class = 'read';
  readonly stickyKey = undefined;
  readonly attributes = this;
  readonly user: string;

  constructor(user: string) {
    this.user = user;
  }

  attribute(): string | undefined {
    return planOf.get(this.user);
  }
}

const members = users.map(
  (_, ordinal): UserRecord => ({
    ...ABSENT_RECORD,
    membership: { cohort: 'everyone', ordinal, by: 'explicit' },
  }),
);
const facts = users.map((user) => new RequestFacts(user));

/** Keeps the work from being optimised away. */
let sink = 0;

function roundNs(work: (index: number) => number): number {
  const begun = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i += 1) sink = (sink + work(i % USERS)) | 0;
  return Number(process.hrtime.bigint() - begun) / CALLS;
}

function measure(name: string, work: (index: number) => number): void {
  for (let i = 0; i < WARM_UP; i += 1) roundNs(work);
  const rounds = Array.from({ length: ROUNDS }, () => roundNs(work)).toSorted((a, b) => a - b);
  const at = (share: number): string => (rounds[Math.floor(share * (ROUNDS - 1))] ?? 0).toFixed(0);
  console.log(`${name.padEnd(44)} ${at(0.5).padStart(6)} ns  (${at(0)} to ${at(1)})`);
}

function decisions(state: Snapshot, records: readonly UserRecord[]): (index: number) => number {
  return (index) => {
    const given = facts[index];
    const record = records[index];
    if (given === undefined || record === undefined) return 0;
    return decide(given, state, record, 'legacy').target === 'new' ? 1 : 0;
  };
}

const half = { kind: 'percent', buckets: 5_000 } as const;
const absent = users.map(() => ABSENT_RECORD);
const isPaid = { kind: 'in', attribute: { source: 'claim', name: 'plan' }, values: ['paid'] } as const;

measure('nothing (the loop itself)', (index) => index);
measure('decision: member, full ramp', decisions(snapshot([cohort({})]), members));
measure('decision: member, 50 % ramp (hashed)', decisions(snapshot([cohort({ ramp: half })]), members));
measure(
  'decision: by rule or default, 50 % ramps',
  decisions(
    snapshot([
      cohort({ name: 'paid', salt: 'paid', rule: isPaid, ramp: half }),
      cohort({ isDefault: true, stage: 'off' }),
    ]),
    absent,
  ),
);
const perUser = cohort({ migration: 'per-user', ramp: half });
const migrated = members.map((record): UserRecord => ({ ...record, state: 'migrated' }));
measure('decision: per-user cohort, 50 % ramp', decisions(snapshot([perUser]), migrated));

const seed = rampSeed('everyone');
measure('bucket of a 15-character user', (index) => bucketOf(seed, users[index] ?? ''));
const accented = users.map((user) => `é${user}`);
measure('bucket of a user outside ASCII', (index) => bucketOf(seed, accented[index] ?? ''));

const routes = Array.from(
  { length: 10 },
  (_, i): Route => ({
    name: `r${i}`,
    match: i === 8 ? '/api/v1/users/:user/*' : i === 9 ? '/*' : `/api/v1/section-${i}/*`,
    methods: i % 4 === 3 ? ['POST'] : [],
    class: undefined,
    backend: undefined,
    shadow: true,
    mirror: true,
  }),
);
const router = compileRoutes(routes);
function routed(paths: readonly string[]): (index: number) => number {
  // As a parser hands them out: one piece, one byte a character.
  const targets = paths.map((path) => Buffer.from(path).toString('latin1'));
  return (index) => {
    const match = router.match('GET', targets[index] ?? '');
    return match === AMBIGUOUS ? 0 : match.route.name.length;
  };
}
measure('route: fifth of ten', routed(users.map((user) => `/api/v1/section-4/${user}?page=2`)));
measure('route: last of ten', routed(users.map((user) => `/other/${user}/orders?page=2`)));
measure('route: ninth of ten, with a parameter', routed(users.map((user) => `/api/v1/users/${user}/orders`)));
measure(
  'route: an escape, so both forms',
  routed(users.map((user) => `/api/v1/section-4/${user}/caf%C3%A9`)),
);
if (sink === 0.5) console.log(sink);
