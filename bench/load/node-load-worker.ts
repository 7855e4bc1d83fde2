/** The process behind `node-load.ts`: one burst, given as JSON, its result sent to the parent as JSON. */
import { Pool } from 'undici';
import { REQUEST_HEADERS, USER_HEADER, USERS } from '../scenarios.ts';
import type { Burst, BurstResult } from './load.ts';

process.on('disconnect', () => process.exit(1));
const burst: Burst = JSON.parse(process.argv[2] ?? '');
const result = JSON.stringify(await run(burst));
process.send?.(result, () => process.disconnect?.());

async function run({
  port,
  scenario,
  requests,
  connections,
  users,
  seed,
  deadlineMs,
}: Burst): Promise<BurstResult> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1, allowH2: false });
  const { method, path, requestBytes } = scenario;
  const body = method === 'POST' ? Buffer.alloc(requestBytes, 'x') : null;
  const fixed = ['host', 'shop.example', ...REQUEST_HEADERS.flat()];
  if (body !== null) fixed.push('content-type', 'application/json');
  const random = seededRandom(seed);
  const latenciesUs = new Float64Array(requests);
  const startedMs = performance.now();
  let sent = 0;
  let answers = 0;
  let errors = 0;

  const oneAfterTheOther = async (): Promise<void> => {
    while (sent < requests && performance.now() - startedMs < deadlineMs) {
      sent += 1;
      const user = `u${1 + (users === 'each' ? (sent - 1) % USERS : Math.floor(random() * USERS))}`;
      const sentMs = performance.now();
      try {
        const answer = await pool.request({ method, path, body, headers: [...fixed, USER_HEADER, user] });
        await answer.body.dump();
        if (answer.statusCode >= 300) errors += 1;
        latenciesUs[answers] = (performance.now() - sentMs) * 1000;
        answers += 1;
      } catch {
        errors += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, oneAfterTheOther));
  const durationMs = performance.now() - startedMs;
  await pool.close();

  const sorted = latenciesUs.subarray(0, answers).sort();
  const percentile = (share: number): number => sorted[Math.floor(share * (answers - 1))] ?? 0;
  return { answers, errors, durationMs, p50Us: percentile(0.5), p99Us: percentile(0.99) };
}

/** mulberry32: good enough to pick users, and repeatable. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
