/** Readers and writers at a fixed rate, from a process of its own, until it is told to stop. */
import { Pool } from 'undici';
import { announceReady } from '../announce-ready.ts';
import { USER_HEADER } from '../flips/load.ts';
import { ask } from '../load/ask.ts';
import type { TripLoadResult, TripLoadSettings } from './faults.ts';

const TICK_MS = 2;
const FAILURES_TOLD = 5;
const WRITES_EVERY = 20;
/** Whoever waits longer has failed. */
const PATIENCE_MS = 20_000;

const { ports, rate, readers, writers, writersName }: TripLoadSettings = JSON.parse(process.argv[2] ?? '');
const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { pipelining: 1, allowH2: false }));
const seen = { reads: 0, failedReads: 0, writes: 0, failedWrites: 0, slowestReadMs: 0 };
const failures: string[] = [];
const underWay = new Set<Promise<void>>();

async function send(number: number): Promise<void> {
  const isWrite = number % WRITES_EVERY === WRITES_EVERY - 1;
  const turn = Math.floor(number / WRITES_EVERY);
  const user = isWrite ? `${writersName}${1 + (turn % writers)}` : `r${1 + ((number * 7_919) % readers)}`;
  const beganMs = performance.now();
  try {
    const pool = pools[(number + turn) % pools.length];
    if (pool === undefined) throw new Error('there is no gateway');
    const answer = await ask(pool, {
      path: '/things',
      method: isWrite ? 'POST' : 'GET',
      body: isWrite ? 'x'.repeat(256) : null,
      headers: { [USER_HEADER]: user },
      headersTimeout: PATIENCE_MS,
    });
    if (answer.status !== 200) throw new Error(String(answer.status));
    if (!isWrite) seen.slowestReadMs = Math.max(seen.slowestReadMs, performance.now() - beganMs);
  } catch (error) {
    if (isWrite) seen.failedWrites += 1;
    else seen.failedReads += 1;
    if (!isWrite && failures.length < FAILURES_TOLD) failures.push(`${user}: ${String(error)}`);
  }
  if (isWrite) seen.writes += 1;
  else seen.reads += 1;
}

const beganMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const due = ((performance.now() - beganMs) / 1_000) * rate;
  for (; sent < due; sent += 1) {
    const request = send(sent).finally(() => underWay.delete(request));
    underWay.add(request);
  }
}, TICK_MS);

async function stop(): Promise<void> {
  clearInterval(timer);
  await Promise.all(underWay);
  const result: TripLoadResult = { ...seen, failures };
  process.send?.(JSON.stringify(result), () => process.exit(0));
}

process.on('message', () => void stop());
await announceReady([], { keepAliveMs: 0 });
