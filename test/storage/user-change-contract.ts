/** What the record promises of changes of users, and of what changes claim; run against both of its forms. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { Change } from '../../src/cutover/change.ts';
import {
  ChangeConflictError,
  type Claims,
  type NewChange,
  OutdatedError,
  type Stranding,
} from '../../src/cutover/stores.ts';
import { PINNED_SCOPE } from '../../src/cutover/write-marks-store.ts';
import { ABSENT_RECORD, type User } from '../../src/model.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { changeCohort, newChange } from './change-contract.ts';

let used = 0;
const fresh = (what: string): string => `${what} ${used++}`;

async function seeded(record: RecordStore, over = {}): Promise<string> {
  const name = fresh('users of');
  await record.seedCohorts([changeCohort(name, over)]);
  return name;
}

function claims(over: Partial<Claims>): Claims {
  return { held: [], own: [], shared: [], users: [], ...over };
}

function byUser([a]: readonly [User, ...unknown[]], [b]: readonly [User, ...unknown[]]): number {
  return a < b ? -1 : 1;
}

function userChange(users: readonly User[], over: Partial<NewChange> = {}): NewChange {
  return {
    id: randomUUID(),
    kind: 'pin',
    cohort: undefined,
    pin: 'new',
    actor: 'ops',
    reason: 'why',
    idempotencyKey: undefined,
    dirtyUsers: 'keep',
    movesTruth: false,
    needsEveryGateway: false,
    claims: claims({ users }),
    judged: [],
    ...over,
  };
}

function members(kind: NewChange['kind'], cohort: string, users: readonly User[]): NewChange {
  return userChange(users, {
    kind,
    cohort,
    pin: undefined,
    job: 'job',
    judged: [changeCohort(cohort)],
    claims: claims({ users, shared: [cohort] }),
  });
}

async function make(
  { changes }: RecordStore,
  wanted: NewChange,
  epoch: number,
  stranding?: Stranding,
): Promise<Change> {
  const { id } = await changes.openChange(wanted);
  await changes.moveChange(id, 1, 'pending', 'switching', {}, stranding);
  return changes.moveChange(id, 1, 'switching', 'done', { switchEpoch: epoch });
}

export async function userChangeContract(t: Test, record: RecordStore): Promise<void> {
  const { changes, users } = record;

  await t.test('records are written with the switch, and audited', async (t) => {
    const [nina, leo] = [fresh('nina'), fresh('\u0000 leo é')];
    const opened = await changes.openChange(userChange([nina, leo], { user: nina }));
    t.match(opened, { kind: 'pin', cohort: undefined, before: undefined, after: undefined });
    t.match(opened, { user: nina, pin: 'new', users: 2, phase: 'pending' });
    t.same(await changes.claimsOf(opened.id), claims({ users: [nina, leo] }));
    t.equal((await users.readUsers([nina])).size, 0, 'the wish alone moves nobody');
    const switching = await changes.moveChange(opened.id, 1, 'pending', 'switching');
    t.equal(switching.users, 2);
    t.match(await record.readUser(leo), { record: { pin: 'new' }, inForce: false });
    const switched = await changes.usersOf(opened.id, undefined, 10);
    t.match(
      switched.map(({ user, before, after }) => [user, before, after.pin] as const).sort(byUser),
      [leo, nina].sort().map((user) => [user, ABSENT_RECORD, 'new']),
    );
    t.equal((await changes.usersOf(opened.id, switched[0]?.user, 10)).length, 1);
    await changes.moveChange(opened.id, 1, 'switching', 'done', { switchEpoch: 70 });
    t.match(await record.readUser(leo), { record: { pin: 'new' }, inForce: true });
    t.match(await users.historyOf(nina, 5), [
      { actor: 'ops', kind: 'pin', epoch: 70, reason: new RegExp(`why .change ${opened.id}`, 'u') },
    ]);
    t.same(await changes.claimsOf(opened.id), claims({}));
    t.same(await record.unconfirmedUsers(10), []);
  });

  await t.test('what becomes of a record is worked out from the row as it is then', async (t) => {
    const cohort = await seeded(record);
    const user = fresh('late');
    const map = await record.createMap();
    const { id } = await changes.openChange(userChange([user]));
    // A request of the user comes in between, and a rule places it.
    await record.placeUsers(map.id, [{ user, cohort, version: 0, epoch: 71 }]);
    await changes.moveChange(id, 1, 'pending', 'switching');
    t.match((await record.readUser(user))?.record, { pin: 'new', membership: { cohort, by: 'rule' } });
    t.match(await changes.usersOf(id, undefined, 1), [{ before: { membership: { cohort } } }]);
    await changes.moveChange(id, 1, 'switching', 'done', { switchEpoch: 72 });
  });

  await t.test('members get ordinals that are never given twice', async (t) => {
    const cohort = await seeded(record);
    const some = Array.from({ length: 5 }, (_, n) => fresh(`m${n}`));
    t.equal((await make(record, members('members-add', cohort, some), 80)).users, 5);
    const all = await users.membersOf(cohort, undefined, 10);
    t.match(
      all.map(({ user, record: { membership } }) => [user, membership?.ordinal] as const).sort(byUser),
      some.map((user, ordinal) => [user, ordinal] as const).sort(byUser),
    );
    t.equal((await users.membersOf(cohort, all[2]?.user, 10)).length, 2, 'the next page');
    const [first = '', , , , last = ''] = some;
    t.equal((await make(record, members('members-add', cohort, [first]), 81)).users, 0, 'a member already');
    t.equal((await make(record, members('members-remove', cohort, [last, fresh('nobody')]), 82)).users, 1);
    t.equal((await record.readUser(last))?.record.membership, undefined);
    const next = fresh('next');
    await make(record, members('members-add', cohort, [next]), 83);
    t.ok(((await record.readUser(next))?.record.membership?.ordinal ?? 0) >= 5);
    const anew = await make(record, members('reassign', cohort, [next]), 84);
    t.equal(anew.users, 0, 'only whom a rule placed is placed anew');
    t.same(await users.membersOf(cohort, undefined, 10, 'rule'), []);
  });

  await t.test('a change that keeps users pins them with its switch, and lists them', async (t) => {
    const cohort = await seeded(record);
    const [kept, back] = [fresh('kept'), fresh('back')];
    await make(record, members('members-add', cohort, [kept, back]), 90);
    const { id } = await changes.openChange(newChange(cohort));
    await changes.moveChange(id, 1, 'pending', 'holding', { holdEpoch: 91 });
    const stranding = { pinned: [kept], leftOut: [], stranded: [] };
    const switching = await changes.moveChange(id, 1, 'holding', 'switching', {}, stranding);
    t.match(switching, { users: 1, dirty: 1 });
    t.match((await record.readUser(kept))?.record, { pin: 'new', membership: { cohort, ordinal: 0 } });
    t.equal((await record.readUser(back))?.record.pin, undefined);
    t.same(await changes.dirtyOf(id, undefined, 10), [kept]);
    t.match(await changes.definitionsOf(id), [{ cohort: { name: cohort, stage: 'live' }, deleted: false }]);
    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch: 92 });
    t.equal((await record.readUser(kept))?.inForce, true);
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch: 93 });
  });

  await t.test('whom another change has moved meanwhile is not kept', async (t) => {
    const [cohort, other] = [await seeded(record), await seeded(record)];
    const [gone, pinned, left, stays] = [fresh('gone'), fresh('pinned'), fresh('left'), fresh('stays')];
    await make(record, members('members-add', cohort, [gone, pinned, left, stays]), 96);
    const back = newChange(cohort);
    const { id } = await changes.openChange({ ...back, claims: claims({ held: [cohort] }) });
    await changes.moveChange(id, 1, 'pending', 'holding', { holdEpoch: 97 });
    // Each of them holds its user, and is done before the writes of this one's users are counted.
    await make(record, members('members-add', other, [gone]), 98);
    await make(record, userChange([pinned], { pin: 'legacy' }), 99);
    const switching = await changes.moveChange(
      id,
      1,
      'holding',
      'switching',
      {},
      { pinned: [gone, left, pinned, stays], leftOut: [], stranded: [] },
    );
    t.match(switching, { users: 2, dirty: 2 });
    t.match((await record.readUser(gone))?.record, { pin: undefined, membership: { cohort: other } });
    t.equal((await record.readUser(pinned))?.record.pin, 'legacy');
    t.equal((await record.readUser(stays))?.record.pin, 'new');
    t.same(await changes.dirtyOf(id, undefined, 10), [left, stays]);
    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch: 100 });
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch: 101 });
  });

  await t.test('whoever is kept is marked by the same transaction', async (t) => {
    const cohort = await seeded(record);
    const kept = fresh('kept and marked');
    await make(record, members('members-add', cohort, [kept]), 102);
    const { id } = await changes.openChange(newChange(cohort));
    await changes.moveChange(id, 1, 'pending', 'holding', { holdEpoch: 103 });
    const stranding = { pinned: [kept], leftOut: [], stranded: [] };
    await changes.moveChange(id, 1, 'holding', 'switching', {}, stranding);
    // Else the pin could be taken away before the marks are carried.
    t.match(await record.marks.marksOf([kept]), [{ user: kept, ...PINNED_SCOPE }]);
    await changes.moveChange(id, 1, 'switching', 'releasing', { switchEpoch: 104 });
    await changes.moveChange(id, 1, 'releasing', 'done', { releaseEpoch: 105 });
  });

  await t.test('users who are left out stay as they are', async (t) => {
    const users3 = [fresh('x'), fresh('y'), fresh('z')];
    const [left = ''] = users3;
    const change = await make(record, userChange(users3), 95, { pinned: [], leftOut: [left], stranded: [] });
    t.match(change, { users: 2, dirty: 1 });
    t.equal(await record.readUser(left), undefined);
    t.same(await changes.dirtyOf(change.id, undefined, 10), [left]);
  });

  await t.test('a user is in one open change', async (t) => {
    const [a, b, c] = [fresh('a'), fresh('b'), fresh('c')];
    const first = await changes.openChange(userChange([a, b], { job: 'a job' }));
    const refused = await changes.openChange(userChange([b, c])).catch((error: unknown) => error);
    t.type(refused, ChangeConflictError);
    t.match(refused, { openChange: first.id, job: 'a job' });
    await changes.openChange(userChange([c]));
    await changes.moveChange(first.id, 1, 'pending', 'undoing');
    await changes.moveChange(first.id, 1, 'undoing', 'undone');
    t.equal((await changes.openChange(userChange([a, b]))).phase, 'pending');
  });

  await t.test('of many batches at once with users in common one is opened', async (t) => {
    const all = Array.from({ length: 50 }, (_, n) => fresh(`many ${n}`));
    const tries = Array.from({ length: 8 }, (_, n) =>
      changes.openChange(userChange(n % 2 === 0 ? all : all.toReversed())),
    );
    const outcomes = await Promise.allSettled(tries);
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const each of outcomes) if (each.status === 'rejected') t.type(each.reason, ChangeConflictError);
  });

  await t.test('what users share nobody changes, and what somebody changes nobody shares', async (t) => {
    const cohort = await seeded(record);
    const one = await changes.openChange(members('members-add', cohort, [fresh('s')]));
    const two = await changes.openChange(members('members-add', cohort, [fresh('s')]));
    const conflict = await changes.openChange(newChange(cohort)).catch((error: unknown) => error);
    t.match(conflict, { job: 'job' });
    for (const { id } of [one, two]) {
      await changes.moveChange(id, 1, 'pending', 'undoing');
      await changes.moveChange(id, 1, 'undoing', 'undone');
    }
    const alone = await changes.openChange(newChange(cohort));
    await t.rejects(
      changes.openChange(members('members-add', cohort, [fresh('s')])),
      new ChangeConflictError(alone.id),
    );
  });

  await t.test('a cohort that is not as it was judged has to be judged anew', async (t) => {
    const cohort = await seeded(record, { stage: 'dualwrite' });
    await t.rejects(changes.openChange(newChange(cohort)), new OutdatedError(cohort));
    await t.rejects(changes.openChange(members('members-add', cohort, ['u'])), new OutdatedError(cohort));
    const nobody = userChange(['u'], { claims: claims({ users: ['u'], shared: ['nobody'] }) });
    await t.rejects(changes.openChange(nobody), new OutdatedError('nobody'));
  });

  await t.test('cohorts are made, reordered and deleted', async (t) => {
    const [name, default1, default2] = [fresh('made'), fresh('d'), fresh('d')];
    await record.seedCohorts([changeCohort(default1, { isDefault: true }), changeCohort(default2)]);
    const live = async () =>
      (await record.readCohorts()).filter(({ deleted }) => !deleted).map(({ cohort }) => cohort);
    const before = await live();
    const create: NewChange = {
      ...userChange([]),
      kind: 'cohort-create',
      pin: undefined,
      cohort: name,
      after: changeCohort(name, { isDefault: true }),
      others: [changeCohort(default1)],
      claims: claims({ own: [name, default1] }),
      judged: before,
    };
    const created = await make(record, create, 100);
    t.match(created, { before: undefined, after: { name, isDefault: true } });
    t.equal((await live()).at(-1)?.name, name);
    t.equal((await live()).find((each) => each.name === default1)?.isDefault, false);
    await t.rejects(changes.openChange({ ...create, id: randomUUID(), judged: await live() }), {
      message: /a cohort made .* already/,
    });

    const all = await live();
    const order = [name, ...all.map((each) => each.name).filter((each) => each !== name)];
    const reorder: NewChange = {
      ...create,
      id: randomUUID(),
      kind: 'cohort-edit',
      others: [],
      order,
      claims: claims({ own: [name] }),
      judged: all,
    };
    await make(record, reorder, 101);
    t.same(
      (await live()).map((each) => each.name),
      order,
    );

    const member = fresh('member');
    const remove: NewChange = {
      ...userChange([]),
      kind: 'cohort-delete',
      pin: undefined,
      cohort: name,
      claims: claims({ own: [name] }),
      judged: await live(),
    };
    const judged = await live();
    await make(record, { ...members('members-add', name, [member]), judged }, 102);
    await t.rejects(changes.openChange(remove), { message: /has members/ });
    await make(record, { ...members('members-remove', name, [member]), judged }, 103);
    const { id } = await changes.openChange(remove);
    await changes.moveChange(id, 1, 'pending', 'switching');
    t.match(await changes.definitionsOf(id), [{ cohort: { name }, deleted: true }]);
    const deleted = await changes.moveChange(id, 1, 'switching', 'done', { switchEpoch: 104 });
    t.match(deleted, { before: { name }, after: undefined });
    t.notOk((await live()).some((each) => each.name === name));
    t.match(await changes.listChanges(undefined, 1, name), [{ id }]);
  });

  await t.test('a change begins anew with the next token', async (t) => {
    const cohort = await seeded(record);
    const { id } = await changes.openChange(newChange(cohort));
    await changes.moveChange(id, 1, 'pending', 'holding');
    await changes.moveChange(id, 1, 'holding', 'undoing');
    const again = await changes.moveChange(id, 1, 'undoing', 'pending');
    t.match(again, { phase: 'pending', token: 2, restarts: 1, endedAt: undefined });
    await t.rejects(changes.beatChange(id, 1), { name: 'ChangeLostError' });
    await t.rejects(changes.openChange(newChange(cohort)), ChangeConflictError, 'it has its claims');
    await changes.moveChange(id, 2, 'pending', 'undone');
  });
}
