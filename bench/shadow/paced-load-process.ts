/** Sends requests at a fixed rate, so that every case has the same load, and says how long they took. */
import { Pool } from 'undici';
import { percentile } from '../statistics.ts';
import type { PacedLoad, PacedResult } from './shadow-cases.ts';

const orphaned = (): never => process.exit(1);
process.on('disconnect', orphaned);
const load: PacedLoad = JSON.parse(process.argv[2] ?? '');
const result = JSON.stringify(await run(load));
process.off('disconnect', orphaned);
process.send?.(result, () => process.disconnect?.());

async function run({ port, rate, seconds }: PacedLoad): Promise<PacedResult> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 64, pipelining: 1, allowH2: false });
  const tookMs: number[] = [];
  let errors = 0;
  const one = async (number: number, dueMs: number): Promise<void> => {
    try {
      const headers = { 'x-user-id': `u${number % 1_000}` };
      const answer = await pool.request({ method: 'GET', path: '/api/items', headers });
      await answer.body.dump();
      if (answer.statusCode === 200) tookMs.push(performance.now() - dueMs);
      else errors += 1;
    } catch {
      errors += 1;
    }
  };
  const startedMs = performance.now();
  const total = Math.round(rate * seconds);
  const under: Promise<void>[] = [];
  for (let sent = 0; sent < total; ) {
    const dueMs = startedMs + (sent * 1_000) / rate;
    if (performance.now() >= dueMs) {
      under.push(one(sent, dueMs));
      sent += 1;
    } else await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(under);
  await pool.close();
  return { answers: tookMs.length, errors, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) };
}
