/**
 * The record on a Postgres server. Two pools: one for the data path, whose statements are short and bounded
 * tightly, and one of two connections for migrations, rebuilds and locks, so that neither waits for the other.
 */
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import type { LongSql, Row, Sql, SqlStore, SqlValue } from './sql.ts';

export interface PostgresOptions {
  readonly url: string;
  readonly poolMax: number;
  /** Bound on one statement of the data path, and on waiting for a connection. */
  readonly statementMs: number;
  /** Told of connections that broke while nobody used them. Nothing fails because of it. */
  readonly onConnectionError: (error: Error) => void;
}

const LONG_STATEMENT_MS = 60_000;
const LOCK_WAIT_MS = 30_000;
/** The client's own timeout fires after the server's, so that the server's clearer message wins. */
const CLIENT_MARGIN_MS = 250;

function openPool(options: PostgresOptions, limits: PoolConfig & { statementMs: number }): Pool {
  const { statementMs, ...rest } = limits;
  const pool = new Pool({
    connectionString: options.url,
    application_name: 'turnout',
    statement_timeout: statementMs,
    query_timeout: statementMs + CLIENT_MARGIN_MS,
    idle_in_transaction_session_timeout: statementMs * 2,
    connectionTimeoutMillis: options.statementMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    ...rest,
  });
  // A broken connection also fails the statement that runs on it. But the event comes for idle connections
  // too, and for borrowed ones between two statements; without a listener it would end the process.
  pool.on('error', options.onConnectionError);
  pool.on('connect', (client) => client.on('error', options.onConnectionError));
  return pool;
}

function onClient(client: PoolClient): Sql {
  return {
    async run(text, values = []): Promise<readonly Row[]> {
      return (await client.query<Row>(text, [...values])).rows;
    },
  };
}

/** Borrows a connection; one on which `work` failed with the connection itself is not given back. */
async function borrow<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: boolean | Error = true;
  try {
    const result = await work(client);
    broken = false;
    return result;
  } finally {
    client.release(broken);
  }
}

function transactionOn<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  return borrow(pool, async (client) => {
    await client.query('BEGIN');
    // A failure inside leaves through `borrow`, which closes the connection: that rolls back, whatever state
    // the connection is in. It costs a reconnect, on a path that is not the usual one.
    const result = await work(onClient(client));
    await client.query('COMMIT');
    return result;
  });
}

/** Connects lazily: creating the store does no I/O. */
export function openPostgres(options: PostgresOptions): SqlStore {
  const data = openPool(options, { max: options.poolMax, statementMs: options.statementMs });
  const long = openPool(options, { max: 2, statementMs: LONG_STATEMENT_MS });
  // One lock at a time in this process: the second would wait for the first's connection otherwise.
  let locks: Promise<unknown> = Promise.resolve();

  const longSql: LongSql = {
    async run(text, values = []) {
      return (await long.query<Row>(text, [...values])).rows;
    },
    transaction: (work) => transactionOn(long, work),
  };

  function locked<T>(lock: string, work: (sql: LongSql) => Promise<T>): Promise<T> {
    return borrow(long, async (client) => {
      // The lock belongs to this connection: should the process die, the server releases it.
      const key = 'hashtextextended(current_schema() || $1, 0)';
      await client.query(`SET lock_timeout = ${LOCK_WAIT_MS}`);
      await client.query(`SELECT pg_advisory_lock(${key})`, [lock]);
      const result = await work(longSql);
      await client.query(`SELECT pg_advisory_unlock(${key})`, [lock]);
      return result;
    });
  }

  return {
    kind: 'postgres',
    where: describe(options.url),
    async run(text: string, values: readonly SqlValue[] = []) {
      return (await data.query<Row>(text, [...values])).rows;
    },
    transaction: (work) => transactionOn(data, work),
    exclusive(lock, work) {
      const turn = locks.then(() => locked(lock, work));
      locks = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      await Promise.all([data.end(), long.end()]);
    },
  };
}

function describe(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `Postgres at ${host}${pathname}`;
  } catch {
    return 'Postgres';
  }
}
