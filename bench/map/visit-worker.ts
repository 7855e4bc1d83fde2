/** Sends one read of each user through a gateway, from a process of its own, and says how many failed. */
import { Pool } from 'undici';
import { announceReady } from '../announce-ready.ts';
import { userName } from './users.ts';
import { USER_HEADER } from './world.ts';

export interface Visits {
  readonly port: number;
  readonly users: number;
  readonly connections: number;
}

const { port, users, connections }: Visits = JSON.parse(process.argv[2] ?? '');
const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1, allowH2: false });
let next = 0;
let failed = 0;

async function oneAfterTheOther(): Promise<void> {
  while (next < users) {
    const headers = { [USER_HEADER]: userName(next++) };
    try {
      const { statusCode, body } = await pool.request({ path: '/things', method: 'GET', headers });
      await body.dump();
      if (statusCode !== 200) failed += 1;
    } catch {
      failed += 1;
    }
  }
}

await announceReady([], { keepAliveMs: 0 });
await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
process.send?.(`${failed}`, () => process.exit(0));
