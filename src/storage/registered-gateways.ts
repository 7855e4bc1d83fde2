import type { RegisteredGateway } from '../cutover/stores.ts';
import { moment, text } from './columns.ts';
import type { Sql } from './sql.ts';

/** The gateways that may be serving, in the order in which they came. */
export async function registeredGateways(sql: Sql): Promise<readonly RegisteredGateway[]> {
  const rows = await sql.run('SELECT id, location, registered_at FROM gateways ORDER BY registered_at, id');
  return rows.map((row) => ({
    id: text(row, 'id'),
    where: text(row, 'location'),
    registeredAt: moment(row, 'registered_at'),
  }));
}
