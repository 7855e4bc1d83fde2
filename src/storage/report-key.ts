import { randomBytes } from 'node:crypto';
import { bytes } from './columns.ts';
import type { SqlStore } from './sql.ts';

/** The key under which users are hashed before they are counted; made by whoever asks first. */
export async function reportKey(sql: SqlStore): Promise<Uint8Array> {
  const known = await readKey(sql);
  if (known !== undefined) return known;
  await sql.run('INSERT INTO report_settings (user_key) VALUES ($1) ON CONFLICT DO NOTHING', [
    randomBytes(32),
  ]);
  const key = await readKey(sql);
  if (key === undefined) throw new Error('the key of the reports was not recorded');
  return key;
}

async function readKey(sql: SqlStore): Promise<Uint8Array | undefined> {
  const [row] = await sql.run('SELECT user_key FROM report_settings');
  return row === undefined ? undefined : bytes(row, 'user_key');
}
