/** What the statements promise that move a change; run against a Postgres server and against PGlite. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { Phase } from '../../src/cutover/change.ts';
import {
  ChangeLostError,
  type ChangePatch,
  type NewChange,
  type Stranding,
} from '../../src/cutover/stores.ts';
import { beatChange } from '../../src/storage/beat-change.ts';
import { claimsOf } from '../../src/storage/claim.ts';
import { moveChange } from '../../src/storage/move-change.ts';
import { openChange } from '../../src/storage/open-change.ts';
import { createMap } from '../../src/storage/replace-map.ts';
import { seedCohorts } from '../../src/storage/seed-cohorts.ts';
import type { Row, SqlStore } from '../../src/storage/sql.ts';
import { takeChange } from '../../src/storage/take-change.ts';
import { changeCohort, newChange } from './change-contract.ts';

let used = 0;

/** A cohort that no other case uses. */
export async function freshCohort(store: SqlStore): Promise<string> {
  const name = `moved ${used++}`;
  await seedCohorts(store, [changeCohort(name)]);
  return name;
}

export function pinChange(users: readonly string[], over: Partial<NewChange> = {}): NewChange {
  return {
    ...newChange('nobody'),
    id: randomUUID(),
    kind: 'pin',
    cohort: undefined,
    after: undefined,
    pin: 'new',
    movesTruth: false,
    claims: { held: [], own: [], shared: [], users },
    judged: [],
    ...over,
  };
}

/** Everything that a move may write. */
async function written(store: SqlStore): Promise<readonly Row[]> {
  return store.run(`SELECT 'map' AS what, to_jsonb(m)::text AS row FROM state_map m
    UNION ALL SELECT 'change', to_jsonb(h)::text FROM cohort_changes h
    UNION ALL SELECT 'user', to_jsonb(u)::text FROM users u
    UNION ALL SELECT 'cohort', to_jsonb(c)::text FROM cohorts c
    UNION ALL SELECT 'claimed user', to_jsonb(k)::text FROM change_users k
    UNION ALL SELECT 'claimed cohort', to_jsonb(k)::text FROM change_cohorts k
    ORDER BY 1, 2`);
}

/** Round trips, one after the other: each statement, and two for a transaction. */
function counting(store: SqlStore): { readonly counted: SqlStore; readonly taken: () => number } {
  let count = 0;
  const counted: SqlStore = {
    ...store,
    run: (text, values) => {
      count += 1;
      return store.run(text, values);
    },
    transaction: (work) => {
      count += 2;
      return store.transaction((sql) =>
        work({
          run: (text, values) => {
            count += 1;
            return sql.run(text, values);
          },
        }),
      );
    },
  };
  return {
    counted,
    taken: () => {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}

const MOVED: readonly (readonly [Phase, Phase, ChangePatch])[] = [
  ['pending', 'holding', {}],
  ['holding', 'switching', { holdEpoch: 1 }],
  ['switching', 'releasing', { switchEpoch: 2 }],
  ['releasing', 'done', { releaseEpoch: 3 }],
];

async function countsContract(t: Test, store: SqlStore): Promise<void> {
  const { counted, taken } = counting(store);

  await t.test(
    'a change of a cohort takes one statement for each phase, and four for its switch',
    async (t) => {
      const { id } = await openChange(store, newChange(await freshCohort(store)));
      const counts: number[] = [];
      for (const [from, to, patch] of MOVED) {
        await moveChange(counted, id, 1, from, to, patch);
        counts.push(taken());
      }
      t.strictSame(counts, [1, 4, 1, 1]);
    },
  );

  await t.test('one that moves no truth takes five', async (t) => {
    const { id } = await openChange(store, newChange(await freshCohort(store), { movesTruth: false }));
    await moveChange(counted, id, 1, 'pending', 'switching');
    t.equal(taken(), 4);
    await moveChange(counted, id, 1, 'switching', 'done', { switchEpoch: 4 });
    t.equal(taken(), 1);
  });

  await t.test('heartbeats, claims, a takeover and going back take one each', async (t) => {
    const opened = await openChange(store, newChange(await freshCohort(store)));
    const { id } = opened;
    const steps: (() => Promise<unknown>)[] = [
      () => takeChange(counted, id, opened.heartbeat),
      () => claimsOf(counted, id),
      () => beatChange(counted, id, 2, { note: 'waits' }),
      () => beatChange(counted, id, 2, { holdEpoch: 5 }),
      () => moveChange(counted, id, 2, 'pending', 'undoing'),
      () => moveChange(counted, id, 2, 'undoing', 'pending', { releaseEpoch: 6 }),
      () => moveChange(counted, id, 3, 'pending', 'undone', { note: 'why' }),
    ];
    for (const step of steps) {
      await step();
      t.equal(taken(), 1);
    }
  });

  await t.test('a change of users takes six for its switch', async (t) => {
    const { id } = await openChange(store, pinChange(['counted']));
    t.match(await moveChange(counted, id, 1, 'pending', 'switching'), { users: 1 });
    t.equal(
      taken(),
      6,
      'beside the transaction and the move: which users, their records with the audit, the row of the change',
    );
    await moveChange(counted, id, 1, 'switching', 'done', { switchEpoch: 7 });
    t.equal(taken(), 1);
  });
}

async function lostContract(t: Test, store: SqlStore): Promise<void> {
  /** Refused by token and by phase, with everything left as it is. */
  async function refused(t: Test, id: string, [from, to, patch]: (typeof MOVED)[number]): Promise<void> {
    const before = await written(store);
    const epochs = { ...patch, switchEpoch: 9_000 };
    await t.rejects(moveChange(store, id, 2, from, to, epochs), ChangeLostError, `${to}, another token`);
    t.strictSame(await written(store), before);
    for (const [elsewhere, next] of MOVED) {
      if (elsewhere === from) continue;
      await t.rejects(moveChange(store, id, 1, elsewhere, next, epochs), ChangeLostError, `not ${elsewhere}`);
      t.strictSame(await written(store), before);
    }
    await t.rejects(beatChange(store, id, 2, epochs), ChangeLostError);
    t.strictSame(await written(store), before);
  }

  await t.test('a move that is refused raises, writes, confirms and deletes nothing', async (t) => {
    const cohort = await freshCohort(store);
    const kept = `kept in ${cohort}`;
    const { id } = await openChange(store, newChange(cohort));
    for (const move of MOVED) {
      await refused(t, id, move);
      const [from, to, patch] = move;
      const stranding: Stranding = { pinned: [kept], leftOut: [], stranded: [] };
      const moved = await moveChange(store, id, 1, from, to, patch, stranding);
      t.strictSame(moved.phase, to);
    }
    const before = await written(store);
    await t.rejects(beatChange(store, id, 1, { releaseEpoch: 9_000 }), ChangeLostError, 'over');
    t.strictSame(await written(store), before);
  });

  await t.test(
    'only the change that ends gives its claims back, and only its records are in force',
    async (t) => {
      const [mine, others] = [await freshCohort(store), await freshCohort(store)];
      const other = await openChange(store, pinChange([`a user of ${others}`]));
      await moveChange(store, other.id, 1, 'pending', 'switching');
      const cohort = await openChange(store, newChange(others));
      const { id } = await openChange(store, pinChange([`a user of ${mine}`]));
      await moveChange(store, id, 1, 'pending', 'switching');
      const inForce = (name: string): Promise<readonly Row[]> =>
        store.run(`SELECT epoch IS NOT NULL AS yes FROM users WHERE key = convert_to($1, 'UTF8')`, [
          `a user of ${name}`,
        ]);
      t.strictSame([await inForce(mine), await inForce(others)], [[{ yes: false }], [{ yes: false }]]);
      await moveChange(store, id, 1, 'switching', 'done', { switchEpoch: 50 });
      t.strictSame([await inForce(mine), await inForce(others)], [[{ yes: true }], [{ yes: false }]]);
      t.strictSame((await claimsOf(store, id)).users, []);
      t.strictSame((await claimsOf(store, other.id)).users, [`a user of ${others}`]);
      t.strictSame((await claimsOf(store, cohort.id)).held, [others]);
      await moveChange(store, other.id, 1, 'switching', 'done', { switchEpoch: 51 });
      await moveChange(store, cohort.id, 1, 'pending', 'undone');
      t.strictSame((await claimsOf(store, cohort.id)).held, []);
    },
  );

  await t.test('an epoch of the map is raised and never lowered, by moves and by heartbeats', async (t) => {
    const epoch = async (): Promise<number> =>
      Number((await store.run('SELECT epoch FROM state_map WHERE retired_at IS NULL'))[0]?.['epoch']);
    const { id } = await openChange(store, newChange(await freshCohort(store)));
    await moveChange(store, id, 1, 'pending', 'holding');
    await beatChange(store, id, 1, { holdEpoch: 100 });
    t.equal(await epoch(), 100);
    await beatChange(store, id, 1, { holdEpoch: 99 });
    t.equal(await epoch(), 100);
    await moveChange(store, id, 1, 'holding', 'switching', { holdEpoch: 101 });
    t.equal(await epoch(), 101);
    await moveChange(store, id, 1, 'switching', 'releasing', { switchEpoch: 90 });
    t.equal(await epoch(), 101);
    await moveChange(store, id, 1, 'releasing', 'done', { releaseEpoch: 103 });
    t.equal(await epoch(), 103);
  });

  await t.test(
    'more records than one statement may confirm are in force with the move, or not at all',
    async (t) => {
      const cohort = await freshCohort(store);
      const pinned = Array.from({ length: 5_001 }, (_, n) => `${n} of ${cohort}`);
      const { id } = await openChange(store, newChange(cohort));
      await moveChange(store, id, 1, 'pending', 'holding');
      const stranding: Stranding = { pinned, leftOut: [], stranded: [] };
      await moveChange(store, id, 1, 'holding', 'switching', { holdEpoch: 104 }, stranding);
      const waiting = async (): Promise<number> =>
        Number((await store.run('SELECT count(*) AS n FROM users WHERE epoch IS NULL'))[0]?.['n']);
      t.equal(await waiting(), 5_001);
      await t.rejects(
        moveChange(store, id, 2, 'switching', 'releasing', { switchEpoch: 105 }),
        ChangeLostError,
      );
      t.equal(await waiting(), 5_001);
      const moved = await moveChange(store, id, 1, 'switching', 'releasing', { switchEpoch: 105 });
      t.match(moved, { phase: 'releasing', users: 5_001, dirty: 5_001 });
      t.equal(await waiting(), 0);
      await moveChange(store, id, 1, 'releasing', 'done', { releaseEpoch: 106 });
    },
  );
}

/** @param store migrated, without a map */
export async function moveStatementContract(t: Test, store: SqlStore): Promise<void> {
  await createMap(store);
  await countsContract(t, store);
  await lostContract(t, store);
}
