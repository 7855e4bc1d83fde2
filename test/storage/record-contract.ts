/** What the record promises, run against Postgres and against its embedded twin by the tests beside this file. */
import type { Test } from 'tap';
import { ABSENT_RECORD, type Cohort, type Rule, type UserRecord } from '../../src/model.ts';
import { MapReplacedError, type RecordStore } from '../../src/storage/record-store.ts';

function cohort(name: string): Cohort {
  return {
    name,
    stage: 'off',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: name,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
  };
}

const FULL: UserRecord = {
  state: 'migrating',
  pin: 'new',
  membership: { cohort: 'b', ordinal: 7, by: 'explicit' },
  newId: "an id with 'quotes' and é",
};

export async function recordContract(t: Test, record: RecordStore): Promise<void> {
  await t.test('a record that is new has no map, and is given one map for good', async (t) => {
    t.equal(await record.readMap(), undefined);
    const [first, second] = await Promise.all([record.createMap(), record.createMap()]);
    t.strictSame(first, second);
    t.strictSame(await record.readMap(), first);
  });
  const map = await record.createMap();

  await t.test('cohorts are created once, in order, with numbers that differ', async (t) => {
    const [once, twice] = await Promise.all([
      record.seedCohorts([cohort('a'), cohort('b')]),
      record.seedCohorts([cohort('a'), cohort('b')]),
    ]);
    t.strictSame(once, twice);
    const { cohorts: more } = await record.seedCohorts([cohort('c'), { ...cohort('a'), stage: 'live' }]);
    t.strictSame(
      more.map(({ cohort: { name, stage } }) => [name, stage]),
      [
        ['a', 'off'],
        ['b', 'off'],
        ['c', 'off'],
      ],
    );
    t.equal(new Set(more.map(({ number }) => number)).size, 3);
  });

  await t.test('a cohort that would move users without a barrier is not seeded', async (t) => {
    const rule: Rule = { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['beta'] };
    const before = await record.readCohorts();
    const { cohorts, notSeeded } = await record.seedCohorts([{ ...cohort('beta'), rule, stage: 'live' }]);
    t.strictSame(notSeeded, [{ cohort: 'beta', why: 'moves-truth' }]);
    t.strictSame(cohorts, before);
  });

  await t.test('a user is read back as it was written', async (t) => {
    t.equal(await record.readUser('u1'), undefined);
    const version = await record.writeUser({ mapId: map.id, user: 'u1', record: FULL, epochFrom: 'map' });
    t.strictSame(await record.readUser('u1'), { record: FULL, version, inForce: false });
    const later = await record.writeUser({
      mapId: map.id,
      user: 'u1',
      record: ABSENT_RECORD,
      epochFrom: 'map',
    });
    t.ok(later > version);
    t.strictSame(await record.readUser('u1'), { record: ABSENT_RECORD, version: later, inForce: false });
  });

  await t.test('writes at the same time each have a version of their own', async (t) => {
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        record.writeUser({
          mapId: map.id,
          user: 'u2',
          record: { ...ABSENT_RECORD, newId: `n${n}` },
          epochFrom: 'map',
        }),
      ),
    );
    t.equal(new Set(versions).size, 20);
    t.equal((await record.readUser('u2'))?.version, Math.max(...versions));
  });

  await t.test('a write is unconfirmed until its epoch is known', async (t) => {
    const version = await record.writeUser({ mapId: map.id, user: 'u3', record: FULL, epochFrom: 'map' });
    const pending = (await record.unconfirmedUsers(100)).find(({ user }) => user === 'u3');
    t.strictSame(pending, { user: 'u3', record: FULL, version, inForce: false });
    await record.confirmUser('u3', version - 1, 90);
    t.ok(
      (await record.unconfirmedUsers(100)).some(({ user }) => user === 'u3'),
      'of another version',
    );
    await record.confirmUser('u3', version, 91);
    t.notOk((await record.unconfirmedUsers(100)).some(({ user }) => user === 'u3'));
    t.equal((await record.readUser('u3'))?.inForce, true);
    t.equal((await record.readMap())?.epoch, 91);
  });

  await t.test(
    "in the record's own numbering a write is confirmed, and above every epoch seen",
    async (t) => {
      const version = await record.writeUser({
        mapId: map.id,
        user: 'u4',
        record: FULL,
        epochFrom: 'record',
      });
      t.ok(version > 91);
      t.equal((await record.readMap())?.epoch, version);
      t.notOk((await record.unconfirmedUsers(100)).some(({ user }) => user === 'u4'));
    },
  );

  await t.test('a user is placed once', async (t) => {
    const first = await record.placeUser(map.id, 'p1', 'a');
    t.ok(first.epoch);
    t.strictSame(first.stored, {
      record: { ...ABSENT_RECORD, membership: { cohort: 'a', ordinal: undefined, by: 'rule' } },
      version: 0,
      inForce: true,
    });
    const second = await record.placeUser(map.id, 'p1', 'b');
    t.equal(second.epoch, undefined);
    t.strictSame(second.stored, first.stored);
  });

  await t.test('a batch of placements sets what is absent and leaves newer records alone', async (t) => {
    await record.writeUser({
      mapId: map.id,
      user: 'p3',
      record: { ...ABSENT_RECORD, pin: 'new' },
      epochFrom: 'map',
    });
    const others = await record.placeUsers(map.id, [
      { user: 'p1', cohort: 'c', version: 0, epoch: 100 },
      { user: 'p2\0é', cohort: 'c', version: 0, epoch: 100 },
      { user: 'p3', cohort: 'c', version: 0, epoch: 100 },
      { user: 'p4\0é', cohort: 'gone', version: 0, epoch: 100 },
    ]);
    t.strictSame(
      [...others].sort((one, other) => one.user.localeCompare(other.user)),
      [
        { user: 'p1', stored: await record.readUser('p1') },
        { user: 'p4\0é', stored: undefined },
      ],
      'whom it did not take; the change of p3 is about to say so in the map',
    );
    const { version = 0 } = (await record.readUser('p3')) ?? {};
    const placement = { user: 'p3', cohort: 'c', epoch: 101 };
    await record.confirmUser('p3', version, 101);
    t.strictSame(
      await record.placeUsers(map.id, [{ ...placement, version: 0 }]),
      [{ user: 'p3', stored: await record.readUser('p3') }],
      'now the map has it',
    );
    t.equal((await record.readUser('p1'))?.record.membership?.cohort, 'a');
    t.equal((await record.readUser('p2\0é'))?.record.membership?.cohort, 'c');
    t.equal((await record.readUser('p3'))?.record.membership, undefined);
  });

  await t.test('a scan gives every user once, in pages', async (t) => {
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await record.scanUsers(after, 2);
      seen.push(...page.map(({ user }) => user));
      if (page.length < 2) break;
      after = page.at(-1)?.user;
    }
    t.strictSame(seen, ['p1', 'p2\0é', 'p3', 'u1', 'u2', 'u3', 'u4']);
  });

  await t.test('a write that names no cohort of the record changes nothing', async (t) => {
    const before = await record.readUser('u3');
    const wrong: UserRecord = { ...FULL, membership: { cohort: 'nobody', ordinal: undefined, by: 'rule' } };
    await t.rejects(
      record.writeUser({ mapId: map.id, user: 'u3', record: wrong, epochFrom: 'map' }),
      RangeError,
    );
    t.strictSame(await record.readUser('u3'), before);
  });

  await t.test('work under one lock runs one after the other', async (t) => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3].map(() =>
        record.exclusive('a lock', async () => {
          most = Math.max(most, ++inside);
          await record.readMap();
          inside--;
        }),
      ),
    );
    t.equal(most, 1);
    await t.rejects(
      record.exclusive('a lock', () => Promise.reject(new Error('mine'))),
      { message: 'mine' },
    );
    t.equal(await record.exclusive('a lock', async () => 5), 5, 'a failure releases it');
  });

  await t.test('once a map is replaced, writes for it are refused', async (t) => {
    t.equal(await record.replaceMap('another', 0), undefined);
    const before = await record.readMap();
    const next = await record.replaceMap(map.id, 1_000_007);
    t.ok((next?.epoch ?? 0) > Math.max(before?.epoch ?? 0, 1_000_007), 'it begins above what was seen');
    t.ok(next);
    t.not(next?.id, map.id);
    t.strictSame(await record.readMap(), next);
    t.equal(await record.replaceMap(map.id, 0), undefined, 'only one can replace it');
    t.equal(await record.isRetired(map.id), true);
    t.equal(await record.isRetired(next?.id ?? ''), false);
    t.equal(await record.isRetired('another'), false);
    const refused: (() => Promise<unknown>)[] = [
      () => record.writeUser({ mapId: map.id, user: 'u1', record: FULL, epochFrom: 'map' }),
      () => record.placeUser(map.id, 'u9', 'a'),
      () => record.placeUsers(map.id, [{ user: 'u9', cohort: 'a', version: 0, epoch: 1 }]),
    ];
    for (const write of refused) await t.rejects(async () => void (await write()), MapReplacedError);
    t.equal(await record.readUser('u9'), undefined);
  });
}
