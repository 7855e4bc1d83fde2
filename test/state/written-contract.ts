/** What a map promises of who wrote to `new`, run against each form of it by the tests beside this file. */
import type { Test } from 'tap';
import type { Writes } from '../../src/cutover/write-marks.ts';
import type { User } from '../../src/model.ts';
import type { StateMap, WriteMarker } from '../../src/state/state-map.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { freshUser, SEEDS } from './state-map-contract.ts';

const [staff] = SEEDS;
if (staff === undefined) throw new Error('there is no cohort to be in');
const STAFF = staff;
const LATER = { name: STAFF.name, era: { number: 2, tracked: true } };
const OTHER = { name: 'other', era: { number: 1, tracked: true } };

export function marksOf(state: StateMap): WriteMarker {
  if (state.marks === undefined) throw new Error('this map keeps no marks');
  return state.marks;
}

/** What is known of a user whose place is the first seed. */
export function wrote(
  state: StateMap,
  user: User,
  place: typeof LATER = { ...LATER, ...STAFF },
): Promise<Writes> {
  return marksOf(state).wrote(user, place, [place, OTHER]);
}

/**
 * @param state where marks are looked for
 * @param writer where users write; another gateway's, if there may be several
 */
export async function writtenContract(
  t: Test,
  state: StateMap,
  writer: StateMap,
  record: RecordStore,
): Promise<void> {
  const marks = marksOf(writer);

  await t.test('whoever has written nothing is clean, at once and for good', async (t) => {
    const user = freshUser();
    t.ok(await marksOf(state).caughtUp());
    t.strictSame(await Promise.all([wrote(state, user), wrote(state, freshUser())]), ['none', 'none']);
    t.equal(await wrote(state, user), 'none');
  });

  await t.test('whoever was marked has written, from when the mark resolves', async (t) => {
    const user = freshUser();
    await marks.mark(user, STAFF, false);
    t.equal(await wrote(state, user), 'some');
    await marks.recorded();
    t.equal(await wrote(state, user), 'some', 'in the record');
  });

  await t.test(
    'a mark counts wherever it was made: as pinned, without a membership, elsewhere',
    async (t) => {
      const users = Array.from({ length: 4 }, freshUser);
      const [pinned = '', free = '', there = '', strayed = ''] = users;
      await marks.mark(pinned, undefined, true);
      await marks.mark(free, STAFF, true);
      await record.marks.addMarks([
        { user: there, cohort: 'early', era: 1, unplaced: false },
        { user: strayed, cohort: STAFF.name, era: 1, unplaced: true },
      ]);
      t.strictSame(await Promise.all([pinned, free, there].map((user) => wrote(state, user))), [
        'some',
        'some',
        'some',
      ]);
      t.equal(await wrote(state, strayed, LATER), 'some', 'nobody knows where its attributes led it since');
    },
  );

  await t.test('a mark of an era that is over does not count for a member', async (t) => {
    const user = freshUser();
    await record.marks.addMarks([{ user, cohort: STAFF.name, era: 1, unplaced: false }]);
    t.equal(await wrote(state, user, LATER), 'none');
  });

  await t.test('whoever a change has to itself is unknown', async (t) => {
    const user = freshUser();
    const { changes } = record;
    const change = await changes.openChange({
      id: `change of ${user}`,
      kind: 'members-add',
      actor: 'x',
      reason: 'x',
      idempotencyKey: undefined,
      movesTruth: false,
      needsEveryGateway: false,
      dirtyUsers: 'keep',
      claims: { held: [], own: [], shared: ['early'], users: [user] },
      judged: SEEDS.filter(({ name }) => name === 'early'),
      cohort: 'early',
    });
    t.equal(await wrote(state, user), 'unknown');
    await changes.moveChange(change.id, change.token, 'pending', 'undoing');
    await changes.moveChange(change.id, change.token, 'undoing', 'undone');
    t.equal(await wrote(state, user), 'none');
  });
}
