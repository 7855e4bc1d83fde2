import type { Sql, SqlStore } from './sql.ts';

/**
 * The embedded record works in this process and on its thread, and from one statement to the next it gives the event
 * loop no turn: a transaction of a dozen statements would stop every request for tens of milliseconds. With this, requests
 * go on between two statements.
 *
 * @param sql of a transaction, whose order of statements stays as it is
 */
export function givingWay(store: Pick<SqlStore, 'kind'>, sql: Sql): Sql {
  if (store.kind === 'postgres') return sql;
  return {
    async run(text, values) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      return sql.run(text, values);
    },
  };
}
