import type { Sql } from './sql.ts';

/** Adds a gateway to those that may be serving; one that is there already keeps its place. */
export async function registerGateway(sql: Sql, id: string, where: string): Promise<void> {
  await sql.run(
    'INSERT INTO gateways (id, location) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET location = excluded.location',
    [id, where],
  );
}
