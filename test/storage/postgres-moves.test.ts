import { Client } from 'pg';
import t from 'tap';
import { ChangeLostError } from '../../src/cutover/stores.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { beatChange } from '../../src/storage/beat-change.ts';
import { confirmUser } from '../../src/storage/confirm-user.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { moveChange } from '../../src/storage/move-change.ts';
import { openChange } from '../../src/storage/open-change.ts';
import { placeUsers } from '../../src/storage/place-users.ts';
import { openPostgres } from '../../src/storage/postgres-sql.ts';
import { readMap } from '../../src/storage/read-map.ts';
import { createMap } from '../../src/storage/replace-map.ts';
import type { SqlStore } from '../../src/storage/sql.ts';
import { writeUser } from '../../src/storage/write-user.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { newChange } from './change-contract.ts';
import { freshCohort, moveStatementContract, pinChange } from './move-statement-contract.ts';

/** Somebody else's transaction. */
async function stranger(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  return client;
}

/** Until a statement of somebody else waits for a lock. */
async function untilOneWaits(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query(
      `SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN
         (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`,
    );
    if (rows.length > 0) return;
  }
}

const NEXT_VERSION = 'UPDATE state_map SET version = version + 1 WHERE retired_at IS NULL';

await t.test('moves of changes on a Postgres server', async (t) => {
  const server = await startPostgres(t);
  const store: SqlStore = openPostgres({
    url: server.url,
    poolMax: 12,
    statementMs: 20_000,
    onConnectionError: () => undefined,
  });
  t.teardown(() => store.close());
  await migrate(store);
  await moveStatementContract(t, store);
  const map = await createMap(store);

  /** Each of the statements that lock the map's row, on a change that it fits. */
  const statements: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    'a heartbeat with an epoch': (id) => beatChange(store, id, 1, { holdEpoch: 200 }),
    'the switch': (id) => moveChange(store, id, 1, 'pending', 'switching'),
    'the end of a switch': (id) => moveChange(store, id, 1, 'switching', 'done', { switchEpoch: 201 }),
  };

  await t.test('the map is locked before the change, its users and its claims', async (t) => {
    const user = 'first the map';
    const { id } = await openChange(store, pinChange([user]));
    for (const [what, run] of Object.entries(statements)) {
      const other = await stranger(server.url);
      try {
        await other.query(NEXT_VERSION);
        const running = run(id);
        await untilOneWaits(other);
        // Whoever has the map may have all of these too, in the order in which everybody locks them.
        for (const query of [
          `SELECT 1 FROM cohort_changes WHERE id = $1 FOR UPDATE NOWAIT`,
          `SELECT 1 FROM users WHERE $1 <> '' AND key = convert_to('${user}', 'UTF8') FOR UPDATE NOWAIT`,
          `SELECT 1 FROM change_users WHERE change = $1 FOR UPDATE NOWAIT`,
        ]) {
          await t.resolves(other.query(query, [id]), what);
        }
        // It goes on with the rows as they are by then.
        await other.query('UPDATE cohort_changes SET heartbeat = heartbeat + 10 WHERE id = $1', [id]);
        await other.query(`UPDATE users SET new_id = 'meanwhile' WHERE key = convert_to($1, 'UTF8')`, [user]);
        await other.query('COMMIT');
        await t.resolves(running, what);
      } finally {
        await other.end();
      }
    }
    const [row] = await store.run(
      `SELECT h.heartbeat::int, h.phase, u.pin, u.new_id, u.epoch::int FROM cohort_changes h, users u
       WHERE h.id = $1 AND u.key = convert_to($2, 'UTF8')`,
      [id, user],
    );
    t.strictSame(row, { heartbeat: 34, phase: 'done', pin: 'new', new_id: 'meanwhile', epoch: 201 });
  });

  await t.test('versions of the map are taken one by one, whoever waits for its row', async (t) => {
    const { id } = await openChange(store, pinChange(['versioned']));
    const before = (await readMap(store))?.version ?? 0;
    const other = await stranger(server.url);
    try {
      await other.query(NEXT_VERSION);
      const running = moveChange(store, id, 1, 'pending', 'switching');
      await untilOneWaits(other);
      await other.query('COMMIT');
      await running;
    } finally {
      await other.end();
    }
    t.equal((await readMap(store))?.version, before + 2);
    const [row] = await store.run('SELECT version::int FROM cohort_changes WHERE id = $1', [id]);
    t.strictSame(row, { version: before + 2 }, 'the records have the one that was taken');
    await moveChange(store, id, 1, 'switching', 'done', { switchEpoch: 202 });
  });

  await t.test('whoever is taken over while it waits changes nothing', async (t) => {
    for (const to of ['switching', 'undoing'] as const) {
      const { id } = await openChange(store, newChange(await freshCohort(store)));
      await moveChange(store, id, 1, 'pending', 'holding', { holdEpoch: 203 });
      const before = await readMap(store);
      const other = await stranger(server.url);
      try {
        await other.query('UPDATE cohort_changes SET token = token + 1 WHERE id = $1', [id]);
        const running = moveChange(store, id, 1, 'holding', to, { holdEpoch: 9_000 });
        const refused = t.rejects(running, ChangeLostError);
        await untilOneWaits(other);
        await other.query('COMMIT');
        await refused;
      } finally {
        await other.end();
      }
      t.strictSame(await readMap(store), before, 'neither version nor epoch');
      await moveChange(store, id, 2, 'holding', 'undoing');
      await moveChange(store, id, 2, 'undoing', 'undone');
    }
  });

  await t.test('changes, placements and writes of the same users and cohorts do not deadlock', async (t) => {
    const cohort = await freshCohort(store);
    const users = Array.from({ length: 40 }, (_, n) => `crossed ${n}`);
    const away = users.toReversed();
    let epoch = 300;
    const pin = async (to: 'legacy' | 'new'): Promise<void> => {
      const half = to === 'new' ? users.slice(0, 20) : away.slice(0, 20);
      const { id } = await openChange(store, pinChange(half, { pin: to }));
      await moveChange(store, id, 1, 'pending', 'switching');
      await beatChange(store, id, 1, { switchEpoch: epoch++ });
      await moveChange(store, id, 1, 'switching', 'done', { switchEpoch: epoch++ });
    };
    const flip = async (): Promise<void> => {
      const name = await freshCohort(store);
      const { id } = await openChange(store, newChange(name));
      await moveChange(store, id, 1, 'pending', 'holding');
      await beatChange(store, id, 1, { holdEpoch: epoch++ });
      const stranding = { pinned: [`kept of ${name}`, ...users.slice(0, 3)], leftOut: [], stranded: [] };
      await moveChange(store, id, 1, 'holding', 'switching', {}, stranding);
      await moveChange(store, id, 1, 'switching', 'releasing', { switchEpoch: epoch++ });
      await moveChange(store, id, 1, 'releasing', 'done', { releaseEpoch: epoch++ });
    };
    const place = async (): Promise<void> => {
      const placed = away.map((user) => ({ user, cohort, version: 0, epoch: epoch++ }));
      await placeUsers(store, map.id, placed);
    };
    const write = async (user: string): Promise<void> => {
      const version = await writeUser(store, {
        mapId: map.id,
        user,
        record: ABSENT_RECORD,
        epochFrom: 'map',
      });
      await confirmUser(store, user, version, epoch++);
    };
    for (let round = 0; round < 8; round++) {
      const outcomes = await Promise.allSettled([
        pin('new'),
        pin('legacy'),
        flip(),
        flip(),
        place(),
        place(),
        ...users.slice(18, 22).map(write),
      ]);
      t.strictSame(
        outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : [])),
        [],
      );
    }
    const [open] = await store.run('SELECT count(*)::int AS n FROM change_users');
    t.strictSame(open, { n: 0 });
  });
});
