/**
 * The little of SQL that the operations of this room need, so that they run unchanged on a Postgres server
 * and on the embedded PGlite.
 */

export type SqlValue = string | number | boolean | null | Uint8Array;
export type Row = Readonly<Record<string, unknown>>;

export interface Sql {
  /** Runs one statement with positional parameters (`$1`). */
  run(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
}

export interface SqlStore extends Sql {
  readonly kind: 'embedded' | 'postgres';
  /** All of `work` or nothing. Bounded like one statement on the data path, statement by statement. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs `work` while this process alone, among all that use this database and schema, holds the lock of that
   * name. `sql` is bounded for long operations (60 s a statement), not for the data path.
   * @throws when the lock cannot be had within 30 s.
   */
  exclusive<T>(lock: string, work: (sql: LongSql) => Promise<T>): Promise<T>;
  /** For people: where the data is, without a password. */
  readonly where: string;
  close(): Promise<void>;
}

/** As `Sql`, with transactions of its own and the bounds of a long operation. */
export interface LongSql extends Sql {
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}
