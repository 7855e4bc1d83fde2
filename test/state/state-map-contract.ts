/** What every form of the state map promises, run against each of them by the tests beside this file. */
import type { Test } from 'tap';
import { ABSENT_RECORD, type Cohort, type UserRecord } from '../../src/model.ts';
import type { StateChange, StateMap } from '../../src/state/state-map.ts';

export interface ContractSetup {
  /** A started state map on the same stores as the others of this set-up, seeded with these cohorts. */
  open(cohorts: readonly Cohort[]): Promise<StateMap>;
  /** Whether two state maps may be open at the same time. */
  readonly shared: boolean;
}

export function cohort(name: string, over: Partial<Cohort> = {}): Cohort {
  return {
    name,
    stage: 'off',
    ramp: { kind: 'percent', buckets: 10_000 },
    salt: `salt of ${name}`,
    rule: undefined,
    isDefault: false,
    migration: 'cohort',
    mirror: false,
    ...over,
  };
}

export const SEEDS: readonly Cohort[] = [
  cohort('staff', {
    stage: 'live',
    // As whoever creates it finds it.
    era: { number: 1, tracked: true },
    rule: {
      kind: 'all',
      rules: [
        { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['staff', 'é'] },
        {
          kind: 'not',
          rule: { kind: 'prefix', attribute: { source: 'claim', name: 'sub' }, prefix: 'bot-' },
        },
      ],
    },
  }),
  cohort('early', {
    stage: 'shadow',
    ramp: { kind: 'count', count: 100 },
    migration: 'per-user',
    mirror: true,
  }),
  cohort('everyone', { isDefault: true }),
];

const FULL: UserRecord = {
  state: 'migrated',
  pin: 'new',
  membership: { cohort: 'early', ordinal: 41, by: 'explicit' },
  newId: '5b1f1a6e-3f0e-4a4e-9e6f-0123456789ab',
};

let users = 0;
/** A user that no other case uses. */
export function freshUser(): string {
  return `user-${process.pid}-${users++}`;
}

/** Resolves with the first change that `wanted` accepts. */
export function nextChange(state: StateMap, wanted: (change: StateChange) => boolean): Promise<StateChange> {
  return new Promise((resolve) => {
    const stop = state.onChange((change) => {
      if (!wanted(change)) return;
      stop();
      resolve(change);
    });
  });
}

export async function stateMapContract(t: Test, setup: ContractSetup): Promise<void> {
  const state = await setup.open(SEEDS);
  t.teardown(() => state.close());

  await t.test('the snapshot has the seeded cohorts in file order', async (t) => {
    t.strictSame(state.snapshot.cohorts, SEEDS);
    t.equal(state.snapshot.defaultCohort?.name, 'everyone');
    t.strictSame(state.snapshot.cohortByName.get('early'), SEEDS[1]);
    t.equal(state.attachment, 'attached');
    t.equal(state.snapshot.mapId, state.status().mapId);
  });

  await t.test('a user without a record loads as absent, and is then cached as absent', async (t) => {
    const user = freshUser();
    t.equal(state.cached(user), undefined);
    t.strictSame(await state.load(user), ABSENT_RECORD);
    t.strictSame(state.cached(user), ABSENT_RECORD);
  });

  await t.test('a record that was put is what cached and load give from then on', async (t) => {
    const user = freshUser();
    await state.load(user);
    const before = state.snapshot.epoch;
    const epoch = await state.putUser(user, FULL);
    t.ok(epoch > before, 'each change has an epoch of its own');
    t.strictSame(state.cached(user), FULL);
    t.strictSame(await state.load(user), FULL);
  });

  await t.test('putting a record replaces it whole, an absent one included', async (t) => {
    const user = freshUser();
    await state.putUser(user, FULL);
    const later: UserRecord = { ...ABSENT_RECORD, state: 'failed' };
    await state.putUser(user, later);
    t.strictSame(await state.load(user), later);
    await state.putUser(user, ABSENT_RECORD);
    t.strictSame(await state.load(user), ABSENT_RECORD);
  });

  await t.test('a change is announced after it was applied', async (t) => {
    const user = freshUser();
    const announced = nextChange(state, (change) => change.kind === 'user' && change.user === user);
    const epoch = await state.putUser(user, FULL);
    await announced;
    t.ok(state.snapshot.epoch >= epoch);
  });

  await t.test('a user is placed once; a second cohort does not move it', async (t) => {
    const user = freshUser();
    const placed: UserRecord = {
      ...ABSENT_RECORD,
      membership: { cohort: 'staff', ordinal: undefined, by: 'rule' },
    };
    t.strictSame(await state.place(user, 'staff'), placed);
    t.strictSame(state.cached(user), placed);
    t.strictSame(await state.place(user, 'everyone'), placed);
  });

  await t.test('placing keeps the rest of the record', async (t) => {
    const user = freshUser();
    const pinned: UserRecord = { ...ABSENT_RECORD, pin: 'legacy', newId: 'n-17' };
    await state.putUser(user, pinned);
    const expected = { ...pinned, membership: { cohort: 'staff', ordinal: undefined, by: 'rule' } };
    t.strictSame(await state.place(user, 'staff'), expected);
    t.strictSame(await state.load(user), expected);
  });

  await t.test('a hundred callers that place one user at once agree on one cohort', async (t) => {
    const user = freshUser();
    const names = ['staff', 'early', 'everyone'];
    const records = await Promise.all(
      Array.from({ length: 100 }, (_, index) => state.place(user, names[index % 3] ?? 'staff')),
    );
    t.equal(new Set(records.map(({ membership }) => membership?.cohort)).size, 1);
  });

  await t.test('puts of one user at the same time leave one of them, everywhere the same', async (t) => {
    const user = freshUser();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => state.putUser(user, { ...ABSENT_RECORD, newId: `n${index}` })),
    );
    const settled = state.cached(user);
    t.match(settled?.newId, /^n\d+$/);
    if (!setup.shared) return;
    const other = await setup.open([]);
    t.strictSame(await other.load(user), settled);
    await other.close();
  });

  await t.test('users of any script and length, awkward ones included, are kept apart', async (t) => {
    const awkward = [
      'é',
      'e\u0301',
      ' ',
      '\0',
      '\u0001x',
      '\u0002',
      '0',
      '00',
      '-1',
      '9007199254740993',
      'a'.repeat(64),
      'a'.repeat(65),
      'a'.repeat(256),
      '用户',
      '5b1f1a6e-3f0e-4a4e-9e6f-0123456789ab',
      '5B1F1A6E-3F0E-4A4E-9E6F-0123456789AB',
      '{turnout}',
      '__proto__',
    ];
    for (const [index, user] of awkward.entries()) {
      await state.putUser(user, { ...ABSENT_RECORD, newId: `id ${index}` });
    }
    const reader = setup.shared ? await setup.open([]) : state;
    for (const [index, user] of awkward.entries()) {
      t.equal((await reader.load(user)).newId, `id ${index}`, JSON.stringify(user));
    }
    if (reader !== state) await reader.close();
  });

  await t.test('what is no user, and what cannot be kept, is refused', async (t) => {
    await t.rejects(state.load(''), RangeError);
    await t.rejects(state.load('a'.repeat(257)), RangeError);
    await t.rejects(state.load('\ud800'), RangeError);
    await t.rejects(state.putUser(freshUser(), { ...FULL, newId: '' }), RangeError);
    await t.rejects(
      state.putUser(freshUser(), {
        ...FULL,
        membership: { cohort: 'nobody', ordinal: undefined, by: 'explicit' },
      }),
      RangeError,
    );
    await t.rejects(state.place(freshUser(), 'nobody'), RangeError);
  });

  await t.test('hits and misses are counted', async (t) => {
    const user = freshUser();
    const before = state.status();
    state.cached(user);
    await state.load(user);
    state.cached(user);
    const after = state.status();
    t.equal(after.cacheMisses - before.cacheMisses, 1);
    t.equal(after.cacheHits - before.cacheHits, 1);
  });

  await t.test('a listener that was stopped hears nothing; one that throws harms nobody', async (t) => {
    let heard = 0;
    const stop = state.onChange(() => heard++);
    const stopThrowing = state.onChange(() => {
      throw new Error('a defect in a listener');
    });
    stop();
    const user = freshUser();
    const announced = nextChange(state, (change) => change.kind === 'user' && change.user === user);
    await state.putUser(user, FULL);
    await announced;
    stopThrowing();
    t.equal(heard, 0);
  });

  await t.test('existing cohorts win over the configuration; new ones are added after them', async (t) => {
    if (!setup.shared) await state.close();
    const again = await setup.open([
      cohort('staff', { stage: 'complete' }),
      cohort('late'),
      ...SEEDS.slice(1),
    ]);
    t.teardown(() => again.close());
    t.strictSame(
      again.snapshot.cohorts.map(({ name, stage }) => [name, stage]),
      [
        ['staff', 'live'],
        ['early', 'shadow'],
        ['everyone', 'off'],
        ['late', 'off'],
      ],
    );
    t.equal(again.snapshot.mapId, state.snapshot.mapId);
    t.ok(again.snapshot.epoch >= state.snapshot.epoch);
  });
}
