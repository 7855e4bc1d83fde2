import type { Sql } from './sql.ts';

/** Takes a gateway out of those that may be serving. One that is not there is no error. */
export async function deregisterGateway(sql: Sql, id: string): Promise<void> {
  await sql.run('DELETE FROM gateways WHERE id = $1', [id]);
}
