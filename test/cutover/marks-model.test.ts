/**
 * A model of who has writes in `new` only, beside the real marks on a real Postgres: users write, cohorts and users
 * move, in an order that a seed gives. Whoever the model says would be stranded has to be found before the move.
 * SEED and RUNS in the environment choose the worlds; without them there are three, of any seed.
 */
import { Client } from 'pg';
import { pino } from 'pino';
import t from 'tap';
import { judgeWanted, wantedStage } from '../../src/cutover/cohort-requests.ts';
import { WritesUnknownError } from '../../src/cutover/control.ts';
import { goesBack, recordAfter } from '../../src/cutover/going-back.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { createWriteMarks } from '../../src/cutover/read-write-marks.ts';
import { decide } from '../../src/decision/decide.ts';
import {
  ABSENT_RECORD,
  type Backend,
  type Cohort,
  type Ramp,
  STAGES,
  type Stage,
  type UserRecord,
} from '../../src/model.ts';
import { FallbackJudge } from '../../src/pipeline/fallback-judge.ts';
import { PINNED, placeOf } from '../../src/pipeline/mark-write.ts';
import { MarkLookup } from '../../src/state/mark-lookup.ts';
import { createSnapshot } from '../../src/state/snapshot.ts';
import { cohortDefinition } from '../../src/storage/cohort-json.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { Seeded } from '../histories/seeded.ts';

const STEPS = 250;
const RUNS = Number(process.env['RUNS'] ?? 3);
const FULL: Ramp = { kind: 'percent', buckets: 10_000 };
// Users stay without a membership only while all cohorts that attributes lead to have one truth: most of the time here.
const RAMPS: readonly Ramp[] = [
  FULL,
  FULL,
  FULL,
  FULL,
  FULL,
  FULL,
  { kind: 'percent', buckets: 5_000 },
  { kind: 'count', count: 2 },
];
const USERS_MAX = 5;

function cohort(name: string, over: Partial<Cohort>): Cohort {
  return {
    name,
    stage: 'off',
    ramp: FULL,
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
    ...over,
  };
}

const COHORTS: readonly Cohort[] = [
  cohort('vip', {
    stage: 'live',
    rule: { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['vip'] },
  }),
  cohort('everyone', { stage: 'live', isDefault: true }),
  cohort('chosen', {}),
];

const postgres = await startPostgres(t);

/** What was said of reads, over all runs. */
const verdicts = new Map<string, number>();

async function world(seed: number) {
  const url = await postgres.createDatabase();
  const record = await createRecord(
    { kind: 'postgres', url, poolMax: 4, statementMs: 5_000 },
    pino({ level: 'silent' }),
  );
  const client = new Client({ connectionString: url });
  await client.connect();
  const map = await record.createMap();
  await record.seedCohorts(COHORTS);
  // With the eras that the seeding gave them: gateways that know of none would mark nobody.
  let cohorts: readonly Cohort[] = (await record.readCohorts()).map(({ cohort }) => cohort);
  const marks = createWriteMarks({
    store: record.marks,
    users: record.users,
    readCohorts: () => record.readCohorts(),
    collect: async () => undefined,
  });
  const seeded = new Seeded(seed);
  const random = (): number => seeded.next();
  const pick = <T>(from: readonly T[], or: T): T => from[Math.floor(random() * from.length)] ?? or;
  const users = Array.from({ length: USERS_MAX }, (_, n) => `user-${n}`);
  let joined = USERS_MAX;
  const records = new Map<string, UserRecord>();
  /** Users whose last writes are in `new` only. */
  const dirty = new Set<string>();
  const log: string[] = [];
  let ordinals = 0;

  const recordOf = (user: string): UserRecord => records.get(user) ?? ABSENT_RECORD;
  const put = async (user: string, after: UserRecord): Promise<void> => {
    records.set(user, after);
    await record.writeUser({ mapId: map.id, user, record: after, epochFrom: 'map' });
  };
  const carry = async (user: string, after: UserRecord): Promise<void> => {
    const before = recordOf(user);
    await put(user, after);
    await marks.carry([{ user, before, after }]);
  };

  async function request(): Promise<void> {
    const user = pick(users, '');
    const plan = pick(['vip', 'none'], 'none');
    const isWrite = random() < 0.7;
    const snapshot = createSnapshot({ mapId: 'm', epoch: 1, cohorts });
    const facts = {
      route: { name: 'r', backend: undefined, shadow: false, mirror: false },
      class: isWrite ? ('write' as const) : ('read' as const),
      user,
      attributes: { attribute: () => plan },
      stickyKey: user,
    };
    let decision = decide(facts, snapshot, recordOf(user), 'legacy');
    if (decision.place !== undefined) {
      await put(user, {
        ...recordOf(user),
        membership: { cohort: decision.place, ordinal: undefined, by: 'rule' },
      });
      decision = decide(facts, snapshot, recordOf(user), 'legacy');
    }
    log.push(`${facts.class} of ${user} as ${plan} to ${decision.target} by ${decision.cohort}`);
    if (!isWrite || decision.target !== 'new') return;
    dirty.add(user);
    const place = placeOf(recordOf(user), decision.cohort, snapshot);
    if (place === undefined) return;
    const unplaced = recordOf(user).membership === undefined;
    const where =
      place === PINNED ? { cohort: undefined, era: 0 } : { cohort: place.name, era: place.era?.number ?? 0 };
    await record.marks.addMarks([{ user, ...where, unplaced }]);
  }

  async function moveCohort(): Promise<readonly string[]> {
    const by = { actor: 'x', reason: 'x', expectedEpoch: undefined, idempotencyKey: undefined };
    const name = pick(COHORTS, cohort('', {})).name;
    const stage: Stage = pick([...STAGES, 'live', 'live', 'live', 'live', 'complete'], 'off');
    const ask = { ...by, cohort: name, stage, ramp: pick(RAMPS, FULL) };
    const kept = wantedStage(cohorts, { ...ask, dirtyUsers: 'keep' });
    let force = random() < 0.3;
    let claims: readonly string[] = [];
    try {
      claims = judgeWanted(cohorts, kept).claims.held;
    } catch (error) {
      if (!(error instanceof WritesUnknownError)) throw error;
      force = true;
    }
    const after = kept.cohorts.find((each) => each.name === name);
    const change = { kind: 'stage', cohort: name, after, pin: undefined } as const;
    const back = users.filter((user) => goesBack(change, user, recordOf(user), cohorts));
    log.push(`${name} to ${stage} with ${JSON.stringify(ask.ramp)}${force ? ' by force' : ''}`);
    const found = force ? [] : (await marks.dirtyOf(claims, 100)).users.map(({ user }) => user);
    const missed = force ? [] : back.filter((user) => dirty.has(user) && !found.includes(user));
    for (const each of kept.cohorts) {
      const definition = cohortDefinition(each);
      await client.query('UPDATE cohorts SET definition = $2 WHERE name = $1', [each.name, definition]);
    }
    cohorts = kept.cohorts;
    for (const user of back) {
      if (force) dirty.delete(user);
      else if (found.includes(user)) await carry(user, { ...recordOf(user), pin: 'new' });
    }
    return missed;
  }

  async function moveUser(): Promise<readonly string[]> {
    const user = pick(users, '');
    const before = recordOf(user);
    const name = pick(COHORTS, cohort('', {})).name;
    const pin: Backend | undefined = pick<Backend | undefined>(
      ['new', 'legacy', undefined, undefined],
      undefined,
    );
    const kind = pick(['pin', 'members-add', 'members-remove', 'reassign'] as const, 'pin');
    const change = { kind, cohort: name, after: undefined, pin };
    const wanted = recordAfter(change, before);
    const after =
      kind === 'members-add' && wanted.membership !== undefined && wanted !== before
        ? { ...wanted, membership: { ...wanted.membership, ordinal: ordinals++ } }
        : wanted;
    if (after === before) return [];
    const isBack = goesBack(change, user, before, cohorts);
    const writes = isBack ? (await marks.writesOf([{ user, record: before }])).get(user) : 'none';
    const missed = isBack && dirty.has(user) && writes === 'none' ? [user] : [];
    const force = random() < 0.5;
    log.push(
      `${kind} ${user} ${kind === 'pin' ? pin : name}: ${isBack ? writes : 'stays'}${force ? ', force' : ''}`,
    );
    if (writes !== 'none' && !force) return missed;
    if (isBack) dirty.delete(user);
    await carry(user, after);
    return missed;
  }

  const lookup = new MarkLookup({ store: record.marks, recordMs: 5_000, map: () => 'record-only' });
  const snapshotNow = () => createSnapshot({ mapId: 'm', epoch: 1, cohorts });
  const judge = new FallbackJudge(
    () => ({
      state: {
        get snapshot() {
          return snapshotNow();
        },
        cached: recordOf,
        load: async (user) => recordOf(user),
        async place(user, name) {
          await put(user, {
            ...recordOf(user),
            membership: { cohort: name, ordinal: undefined, by: 'rule' },
          });
          return recordOf(user);
        },
      },
      fenced: () => false,
      writes: new InFlightWrites(),
      anonymous: 'legacy',
      staleReads: 'serve',
    }),
    {
      isMarked: () => false,
      caughtUp: async () => true,
      wrote: (user, place, all) => lookup.look(user, place, all),
      mark: async () => undefined,
      unrecorded: () => 0,
      unrecordedOf: () => 0,
      unrecordedUnplaced: 0,
      recorded: async () => undefined,
    },
  );
  /** Whose read would be answered by legacy although what the user wrote is in `new` only. */
  async function readAll(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const user of users) {
      const plan = pick(['vip', 'none'], 'none');
      const policy = { name: 'r', backend: undefined, shadow: false, mirror: false };
      const route = { ...policy, requireUser: false, class: undefined, shadowSample: 0 };
      const attribute = (): string => plan;
      const facts = { route, class: 'read' as const, user, attributes: { attribute }, stickyKey: user };
      const decision = decide(facts, snapshotNow(), recordOf(user), 'legacy');
      const read = {
        requestClass: 'read' as const,
        decision,
        record: recordOf(user),
        user,
        route,
        attribute,
      };
      if (!judge.mayFallBack(read)) continue;
      const verdict = await judge.judge(read);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      if (verdict === 'clean' && dirty.has(user)) wrong.push(user);
    }
    return wrong;
  }

  return {
    log,
    readAll,
    async step(): Promise<readonly string[]> {
      const dice = random();
      if (dice < 0.05) await record.marks.pruneMarks(10);
      // Somebody new, who has no membership yet.
      if (dice < 0.15) users[joined++ % USERS_MAX] = `user-${joined}`;
      if (dice < 0.6) await request();
      else return dice < 0.85 ? moveCohort() : moveUser();
      return [];
    },
    async close(): Promise<void> {
      await client.end();
      await record.close();
    },
  };
}

const first = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000_000));
for (let seed = first; seed < first + RUNS; seed++) {
  await t.test(`nobody is stranded unseen, seed ${seed}`, async (t) => {
    const model = await world(seed);
    t.teardown(() => model.close());
    for (let n = 0; n < STEPS; n++) {
      const missed = await model.step();
      const wrong = await model.readAll();
      if (missed.length === 0 && wrong.length === 0) continue;
      if (missed.length > 0)
        t.fail(`${missed.join(', ')} would be stranded at step ${n}`, { log: model.log });
      else t.fail(`${wrong.join(', ')} would be shown what legacy has at step ${n}`, { log: model.log });
      return;
    }
    t.pass(`${STEPS} steps`);
  });
}

await t.test('reads of every kind were judged', async (t) => {
  t.comment(JSON.stringify([...verdicts]));
  t.strictSame([...verdicts.keys()].toSorted(), ['clean', 'dirty', 'unknown']);
});
