/** What a controller is told of the marks, on a real Postgres. */
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { isTracked, nextEra } from '../../src/cutover/era.ts';
import { previewRollback } from '../../src/cutover/preview-rollback.ts';
import { createWriteMarks } from '../../src/cutover/read-write-marks.ts';
import type { WriteMarks } from '../../src/cutover/write-marks.ts';
import type { Mark } from '../../src/cutover/write-marks-store.ts';
import { bucketOf, rampSeed } from '../../src/decision/ramp.ts';
import { ABSENT_RECORD, type Cohort, type UserRecord } from '../../src/model.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import type { RecordStore, StoredCohort } from '../../src/storage/record-store.ts';
import { startPostgres } from '../fixtures/postgres.ts';

const postgres = await startPostgres(t);

function cohort(name: string, over: Partial<Cohort> = {}): Cohort {
  const plain: Cohort = {
    name,
    stage: 'live',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
    ...over,
  };
  return { era: nextEra(undefined, plain), ...plain };
}

const RULE = { kind: 'exists', attribute: { source: 'header', name: 'x-plan' } } as const;

const memberOf = (name: string, by: 'explicit' | 'rule', over: Partial<UserRecord> = {}): UserRecord => ({
  ...ABSENT_RECORD,
  membership: { cohort: name, ordinal: undefined, by },
  ...over,
});

const mark = (user: string, name: string | undefined, over: Partial<Mark> = {}): Mark => ({
  user,
  cohort: name,
  era: name === undefined ? 0 : 1,
  unplaced: false,
  ...over,
});

interface Opened {
  readonly record: RecordStore;
  readonly marks: WriteMarks;
  readonly put: (user: string, after: UserRecord) => Promise<unknown>;
  readonly dirty: (...names: string[]) => Promise<readonly string[]>;
  readonly stored: Map<string, Cohort>;
}

/** A record of its own with these cohorts; what is put in `stored` counts instead of what the record has. */
async function open(t: Test, cohorts: readonly Cohort[]): Promise<Opened> {
  const url = await postgres.createDatabase();
  const record = await createRecord(
    { kind: 'postgres', url, poolMax: 4, statementMs: 5_000 },
    pino({ level: 'silent' }),
  );
  t.teardown(() => record.close());
  const map = await record.createMap();
  await record.seedCohorts(cohorts);
  const stored = new Map<string, Cohort>();
  const readCohorts = async (): Promise<readonly StoredCohort[]> =>
    (await record.readCohorts()).map((each) => ({
      ...each,
      cohort: stored.get(each.cohort.name) ?? each.cohort,
    }));
  const marks = createWriteMarks({
    store: record.marks,
    users: record.users,
    readCohorts,
    collect: async () => undefined,
  });
  return {
    record,
    marks,
    stored,
    put: (user, after) => record.writeUser({ mapId: map.id, user, record: after, epochFrom: 'map' }),
    dirty: async (...names) => (await marks.dirtyOf(names, 100)).users.map(({ user }) => user),
  };
}

await t.test(
  'members and users without a membership who wrote are dirty, those elsewhere are not',
  async (t) => {
    const { record, put, dirty, marks } = await open(t, [
      cohort('vip', { rule: RULE }),
      cohort('everyone', { isDefault: true }),
      cohort('chosen'),
    ]);
    await put('chosen-1', memberOf('chosen', 'explicit'));
    await put('placed-vip', memberOf('vip', 'rule'));
    await put('pinned', { ...memberOf('everyone', 'rule'), pin: 'new' });
    await record.marks.addMarks([
      mark('chosen-1', 'chosen'),
      mark('unplaced', 'vip', { unplaced: true }),
      mark('placed-vip', 'vip'),
      mark('pinned', 'everyone'),
      mark('at-default', 'everyone', { unplaced: true }),
      mark('old', 'everyone', { era: 0 }),
    ]);
    t.strictSame(await dirty('everyone'), ['at-default', 'unplaced'], 'its attributes may lead here too');
    t.strictSame(await dirty('vip'), ['at-default', 'placed-vip', 'unplaced']);
    t.strictSame(await dirty('chosen'), ['chosen-1'], 'no attributes lead here');
    t.strictSame(await dirty('chosen', 'vip'), ['at-default', 'chosen-1', 'placed-vip', 'unplaced']);
    const { users, more } = await marks.dirtyOf(['vip'], 2);
    t.same([users.length, more], [2, true]);
  },
);

await t.test('of each user: none, some, unknown', async (t) => {
  const { record, marks, stored } = await open(t, [
    cohort('vip', { rule: RULE }),
    cohort('everyone', { isDefault: true }),
    cohort('chosen'),
  ]);
  await record.marks.addMarks([
    mark('a', 'chosen'),
    mark('b', 'vip', { unplaced: true }),
    mark('c', undefined),
  ]);
  const ask = async (user: string, known: UserRecord): Promise<string | undefined> =>
    (await marks.writesOf([{ user, record: known }])).get(user);
  t.equal(await ask('a', memberOf('chosen', 'explicit')), 'some');
  t.equal(await ask('a', memberOf('vip', 'explicit')), 'none');
  t.equal(await ask('a', { ...ABSENT_RECORD, pin: 'legacy' }), 'none');
  t.equal(await ask('a', { ...ABSENT_RECORD, pin: 'new' }), 'none', 'it was not pinned when it wrote');
  t.equal(await ask('c', { ...memberOf('chosen', 'explicit'), pin: 'new' }), 'some');
  t.equal(await ask('b', ABSENT_RECORD), 'some');
  t.equal(await ask('b', memberOf('everyone', 'rule')), 'some', 'it was placed after it wrote');
  t.equal(await ask('b', memberOf('everyone', 'explicit')), 'none');
  t.equal(await ask('nobody', ABSENT_RECORD), 'none');
  stored.set('chosen', cohort('chosen', { era: { number: 1, tracked: false } }));
  t.equal(await ask('a', memberOf('chosen', 'explicit')), 'unknown');
});

await t.test('what is known goes with a user from one cohort to another, to a pin, and back', async (t) => {
  const { record, marks, put, dirty } = await open(t, [
    cohort('one'),
    cohort('two'),
    cohort('everyone', { isDefault: true }),
  ]);
  const [one, two] = [memberOf('one', 'explicit'), memberOf('two', 'explicit')];
  await put('late', two);
  await record.marks.addMarks([mark('u', 'one'), mark('late', 'two')]);
  const carry = async (user: string, before: UserRecord, after: UserRecord): Promise<void> => {
    await put(user, after);
    await marks.carry([{ user, before, after }]);
    // As a controller that vanished makes another do it again.
    await marks.carry([{ user, before, after }]);
  };
  await carry('clean', one, two);
  await carry('u', one, two);
  t.strictSame(await dirty('two'), ['late', 'u']);
  await carry('u', two, { ...two, pin: 'new' });
  t.strictSame(await dirty('two'), ['late'], 'a pinned user does not go back with its cohort');
  const pinned = { ...two, pin: 'new' } as const;
  t.equal((await marks.writesOf([{ user: 'u', record: pinned }])).get('u'), 'some');
  await carry('u', pinned, { ...ABSENT_RECORD });
  t.strictSame(await dirty('everyone'), ['u']);
  t.equal((await marks.writesOf([{ user: 'u', record: pinned }])).get('u'), 'none', 'the pin took its mark');
});

await t.test('users whom a rollback keeps stay dirty when their cohort begins another era', async (t) => {
  const { record, marks, put, stored, dirty } = await open(t, [cohort('one')]);
  const before = memberOf('one', 'explicit');
  const after = { ...before, pin: 'new' } as const;
  await put('u', before);
  await record.marks.addMarks([mark('u', 'one')]);
  t.strictSame(await dirty('one'), ['u']);
  // The change has been switched: nobody of the cohort is on new any more, but for the pin.
  stored.set('one', cohort('one', { stage: 'shadow', era: { number: 1, tracked: true } }));
  await put('u', after);
  await marks.carry([{ user: 'u', before, after }]);
  stored.set('one', cohort('one', { era: { number: 2, tracked: true } }));
  t.equal((await marks.writesOf([{ user: 'u', record: after }])).get('u'), 'some');
  await put('u', before);
  await marks.carry([{ user: 'u', before: after, after: before }]);
  t.strictSame(await dirty('one'), ['u'], 'and without the pin it is dirty in the new era');
});

await t.test('a preview counts who would go back, and lists who would lose writes', async (t) => {
  const half = { kind: 'percent', buckets: 5_000 } as const;
  const { record, marks, put, stored } = await open(t, [
    cohort('all'),
    cohort('half', { ramp: half }),
    cohort('first', { ramp: { kind: 'count', count: 2 } }),
    cohort('moved', { migration: 'per-user' }),
    cohort('off', { stage: 'off' }),
  ]);
  const readCohorts = async (): Promise<readonly Cohort[]> =>
    (await record.readCohorts()).map(({ cohort: each }) => stored.get(each.name) ?? each);
  const preview = (name: string) => previewRollback({ marks, readCohorts }, name, 7);
  for (const n of [0, 1, 2, 3]) {
    await put(`all-${n}`, memberOf('all', 'explicit'));
    await put(`half-${n}`, memberOf('half', 'rule'));
    const membership = { cohort: 'first', ordinal: n, by: 'explicit' } as const;
    await put(`first-${n}`, { ...ABSENT_RECORD, membership });
    await put(`moved-${n}`, memberOf('moved', 'explicit', n < 3 ? { state: 'migrated' } : {}));
  }
  await put('pinned', memberOf('all', 'explicit', { pin: 'new' }));
  await record.marks.addMarks([
    mark('all-2', 'all'),
    mark('pinned', 'all'),
    ...[0, 1, 2, 3].map((n) => mark(`half-${n}`, 'half')),
    mark('first-0', 'first'),
    mark('moved-1', 'moved'),
  ]);
  t.strictSame(await preview('all'), {
    cohort: 'all',
    epoch: 7,
    stage: 'live',
    to: 'shadow',
    tracked: true,
    clean: 3,
    dirty: 1,
    dirtyUsers: ['all-2'],
  });
  const inside = [0, 1, 2, 3]
    .map((n) => `half-${n}`)
    .filter((user) => bucketOf(rampSeed('half'), user) < half.buckets);
  t.match(await preview('half'), { clean: 0, dirty: inside.length, dirtyUsers: inside });
  t.match(await preview('first'), { clean: 1, dirty: 1, dirtyUsers: ['first-0'] });
  t.match(await preview('moved'), { clean: 2, dirty: 1, dirtyUsers: ['moved-1'] });
  await t.rejects(preview('off'), { name: 'ChangeRefusedError' });
  await t.rejects(preview('gone'), { name: 'UnknownCohortError' });
  const complete = cohort('all', { stage: 'complete' });
  t.notOk(isTracked(complete));
  stored.set('all', complete);
  t.match(await preview('all'), { stage: 'complete', tracked: false, clean: 0, dirty: 0, dirtyUsers: [] });
});
