/** What the record promises of marks, run against Postgres and against its embedded twin. */
import type { Test } from 'tap';
import { type Mark, PINNED_SCOPE } from '../../src/cutover/write-marks-store.ts';
import { ABSENT_RECORD, type Cohort, type UserRecord } from '../../src/model.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';

function cohort(name: string): Cohort {
  return {
    name,
    stage: 'live',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
  };
}

const mark = (user: string, over: Partial<Mark> = {}): Mark => ({
  user,
  cohort: 'a',
  era: 1,
  unplaced: false,
  ...over,
});

const memberOf = (name: string, over: Partial<UserRecord> = {}): UserRecord => ({
  ...ABSENT_RECORD,
  membership: { cohort: name, ordinal: undefined, by: 'explicit' },
  ...over,
});

export async function markContract(t: Test, record: RecordStore): Promise<void> {
  const { marks } = record;
  const map = await record.createMap();
  const { cohorts } = await record.seedCohorts([cohort('a'), cohort('b')]);
  const [a = 0, b = 0] = cohorts.map(({ number }) => number);
  const put = (user: string, after: UserRecord): Promise<number> =>
    record.writeUser({ mapId: map.id, user, record: after, epochFrom: 'map' });
  const namesIn = async (number: number, era: number, members: number[], limit = 100) =>
    (await marks.markedUsers([{ number, era }], { members, withoutToo: true, limit }))
      .map(({ user }) => user)
      .toSorted();

  await t.test('a cohort that is seeded with users on new begins its first era', async (t) => {
    t.strictSame(cohorts[0]?.cohort.era, { number: 1, tracked: true });
  });

  await t.test('marks are read back in key order, once each, and by era', async (t) => {
    await marks.addMarks([mark('m2'), mark('é\0x'), mark('m1'), mark('m1')]);
    await marks.addMarks([mark('m1'), mark('m3', { era: 2 })]);
    t.strictSame(await namesIn(a, 1, [a]), ['m1', 'm2', 'é\0x']);
    t.strictSame(await namesIn(a, 1, [a], 2), ['m1', 'm2']);
    t.strictSame(await namesIn(a, 2, [a]), ['m3']);
    t.strictSame(await namesIn(b, 1, [a]), []);
  });

  await t.test('a member of another cohort and a pinned user are not among them', async (t) => {
    await put('n-here', memberOf('a', { newId: 'x' }));
    await put('n-there', memberOf('b'));
    await put('n-pinned', memberOf('a', { pin: 'new' }));
    await marks.addMarks(['n-here', 'n-there', 'n-pinned', 'n-none'].map((user) => mark(user, { era: 5 })));
    const scopes = [{ number: a, era: 5 }];
    const query = { members: [a], limit: 10 };
    t.strictSame(await marks.markedUsers(scopes, { ...query, withoutToo: false }), [
      { user: 'n-here', record: memberOf('a', { newId: 'x' }) },
    ]);
    t.strictSame(await marks.markedUsers(scopes, { ...query, withoutToo: true }), [
      { user: 'n-here', record: memberOf('a', { newId: 'x' }) },
      { user: 'n-none', record: ABSENT_RECORD },
    ]);
    t.strictSame(await namesIn(a, 5, [a, b]), ['n-here', 'n-none', 'n-there']);
  });

  await t.test('that a user had no membership is remembered, whichever mark came first', async (t) => {
    const era = 6;
    await marks.addMarks([mark('o1', { era }), mark('o2', { era, unplaced: true }), mark('o3', { era })]);
    await marks.addMarks([mark('o1', { era, unplaced: true }), mark('o2', { era })]);
    t.strictSame(await namesIn(a, era, [a]), ['o1', 'o2', 'o3']);
    const unplaced = (await marks.marksOf(['o1', 'o2', 'o3'])).filter((each) => each.unplaced);
    t.strictSame(unplaced.map(({ user }) => user).toSorted(), ['o1', 'o2']);
  });

  await t.test('whoever wrote without a membership elsewhere is found where a rule has led it', async (t) => {
    const unplaced = { unplaced: true, era: 7 };
    await put('w-there', { ...ABSENT_RECORD, membership: { cohort: 'b', ordinal: undefined, by: 'rule' } });
    await put('w-chosen', memberOf('b'));
    await put('w-here', { ...ABSENT_RECORD, membership: { cohort: 'a', ordinal: undefined, by: 'rule' } });
    const users = ['w-there', 'w-chosen', 'w-here', 'w-none'];
    await marks.addMarks([
      ...users.map((user) => mark(user, unplaced)),
      mark('w-pin', { ...unplaced, cohort: undefined }),
    ]);
    const strays = async (members: number[], withoutToo: boolean) =>
      (await marks.strayedUsers({ members, withoutToo, limit: 100 }))
        .map(({ user }) => user)
        .filter((user) => user.startsWith('w-'))
        .toSorted();
    t.strictSame(await strays([b], false), ['w-there']);
    t.strictSame(await strays([b], true), ['w-none', 'w-there']);
    t.strictSame(await strays([a], true), [], 'of their own cohort they are no strays');
    t.strictSame(await strays([a, b], true), []);
  });

  await t.test('by name, every user has an answer, and one that a change has is told apart', async (t) => {
    const pinned = { cohort: undefined, era: 0 };
    await marks.addMarks([
      mark('x1', { unplaced: true }),
      mark('x1', pinned),
      mark('x2', { cohort: 'b', era: 3 }),
    ]);
    const claims = { held: [], own: [], shared: ['a'], users: ['x2', 'x3'] };
    const { changes } = record;
    const change = await changes.openChange({
      id: 'a change of x2',
      kind: 'members-add',
      actor: 'x',
      reason: 'x',
      idempotencyKey: undefined,
      movesTruth: false,
      needsEveryGateway: false,
      dirtyUsers: 'keep',
      claims,
      judged: (await record.readCohorts()).flatMap((each) => (each.cohort.name === 'a' ? [each.cohort] : [])),
      cohort: 'a',
    });
    const found = await marks.namedMarks(['x1', 'x2', 'x3', 'x4']);
    const named = (found.get('x1')?.marks ?? []).toSorted((one, other) => other.era - one.era);
    t.strictSame(named, [
      { cohort: 'a', era: 1, unplaced: true },
      { ...pinned, unplaced: false },
    ]);
    t.strictSame(found.get('x2'), { marks: [{ cohort: 'b', era: 3, unplaced: false }], changing: true });
    t.strictSame(found.get('x3'), { marks: [], changing: true });
    t.strictSame(found.get('x4'), { marks: [], changing: false });
    await changes.moveChange(change.id, change.token, 'pending', 'undoing');
    await changes.moveChange(change.id, change.token, 'undoing', 'undone');
    t.equal((await marks.namedMarks(['x2'])).get('x2')?.changing, false);
  });

  await t.test('the marks of a pin are apart, and go with it', async (t) => {
    const pinned = { cohort: undefined, era: 0 };
    await marks.addMarks([mark('p1', pinned), mark('p2', pinned), mark('p1')]);
    await marks.dropPinMarks(['p1', 'nobody']);
    const left = await marks.marksOf(['p1', 'p2', 'nobody']);
    t.strictSame(left, [
      { user: 'p1', number: a, era: 1, unplaced: false },
      { user: 'p2', ...PINNED_SCOPE, unplaced: false },
    ]);
  });

  await t.test('a mark of a cohort that is gone is left out, and its neighbours are not', async (t) => {
    await marks.addMarks([mark('q1', { cohort: 'gone' }), mark('q2')]);
    t.strictSame(
      (await marks.marksOf(['q1', 'q2'])).map(({ user }) => user),
      ['q2'],
    );
  });

  await t.test('old eras are removed bit by bit, and the one that counts stays', async (t) => {
    // The cohort is in its first era; an era 0 never was.
    await marks.addMarks(Array.from({ length: 5 }, (_, n) => mark(`r${n}`, { era: 0 })));
    t.equal(await marks.pruneMarks(3), 3);
    t.equal(await marks.pruneMarks(3), 2);
    t.equal(await marks.pruneMarks(3), 0);
    t.ok((await namesIn(a, 1, [a])).includes('m1'));
  });

  await t.test('a mark that is over moves with a user who may be in new elsewhere by now', async (t) => {
    const over = { era: 0, unplaced: true };
    await put('v-there', { ...ABSENT_RECORD, membership: { cohort: 'b', ordinal: undefined, by: 'rule' } });
    await put('v-here', { ...ABSENT_RECORD, membership: { cohort: 'a', ordinal: undefined, by: 'rule' } });
    await put('v-chosen', memberOf('b'));
    const users = ['v-there', 'v-here', 'v-chosen', 'v-none'];
    await marks.addMarks(users.map((user) => mark(user, over)));
    t.equal(await marks.pruneMarks(100), 4);
    // Nobody is led to `b` by attributes, so a user without a membership is not marked there.
    t.strictSame(await marks.marksOf(users), [{ user: 'v-there', number: b, era: 1, unplaced: false }]);
  });

  await t.test('two batches with users in common do not lock each other out', async (t) => {
    const users = Array.from({ length: 300 }, (_, n) => mark(`s${n}`));
    await Promise.all([marks.addMarks(users), marks.addMarks(users.toReversed()), marks.addMarks(users)]);
    t.equal((await marks.marksOf(users.map(({ user }) => user))).length, 300);
  });
}
