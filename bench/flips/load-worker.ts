/**
 * Sends the load from a process of its own: at a fixed rate, so that a gateway which holds writes is sent no
 * fewer of them. Told to stop, it waits for the last answer and sends what it saw to its parent.
 */
import { Pool } from 'undici';
import { announceReady } from '../announce-ready.ts';
import { ask } from '../load/ask.ts';
import { type LoadResult, type LoadSettings, USER_HEADER } from './load.ts';
import { monotonicMs } from './monotonic.ts';

const TICK_MS = 2;
const FAILURES_TOLD = 10;
const BODY = 'x'.repeat(256);

const { ports, rate, users }: LoadSettings = JSON.parse(process.argv[2] ?? '');
// As many connections as it needs: a held write has one of its own.
const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { pipelining: 1, allowH2: false }));

const writes: { sentMs: number; tookMs: number }[] = [];
const readsMs: number[] = [];
const owners = { legacy: 0, new: 0 };
const failures: string[] = [];
let failed = 0;
const underWay = new Set<Promise<void>>();

async function send(number: number): Promise<void> {
  const pool = pools[number % pools.length];
  // Not the number's parity, or an even number of gateways would have reads here and writes there.
  const isWrite = Math.floor(number / pools.length) % 2 === 0;
  const user = `u${1 + ((number * 7_919) % users)}`;
  const sentMs = monotonicMs();
  try {
    if (pool === undefined) throw new Error('there is no gateway');
    const { status, text } = await ask(pool, {
      path: '/things',
      method: isWrite ? 'POST' : 'GET',
      body: isWrite ? BODY : null,
      headers: { [USER_HEADER]: user },
    });
    const tookMs = monotonicMs() - sentMs;
    if (status !== 200) throw new Error(`${status} ${text}`);
    if (text === 'new') owners.new += 1;
    else owners.legacy += 1;
    if (isWrite) writes.push({ sentMs, tookMs });
    else readsMs.push(tookMs);
  } catch (error) {
    failed += 1;
    if (failures.length < FAILURES_TOLD) {
      failures.push(`${isWrite ? 'write' : 'read'} of ${user}: ${String(error)}`);
    }
  }
}

const beganMs = monotonicMs();
let sent = 0;
const timer = setInterval(() => {
  const due = ((monotonicMs() - beganMs) / 1_000) * rate;
  for (; sent < due; sent += 1) {
    const request = send(sent).finally(() => underWay.delete(request));
    underWay.add(request);
  }
}, TICK_MS);

async function stop(): Promise<void> {
  clearInterval(timer);
  await Promise.all(underWay);
  const result: LoadResult = { writes, readsMs, owners, failed, failures };
  process.send?.(JSON.stringify(result), () => process.exit(0));
}

process.on('message', () => void stop());
await announceReady([], { keepAliveMs: 0 });
