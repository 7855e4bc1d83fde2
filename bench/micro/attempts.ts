/**
 * What does it cost to count one request for the guard? Prints nanoseconds for the whole life of an attempt (begun,
 * answered, over) with many of them open, for its parts, and what one tick costs, as the median of repeated rounds.
 *
 *   node bench/micro/attempts.ts
 */
import { AttemptCounter } from '../../src/guard/attempt-counter.ts';
import { FAILURE_KINDS } from '../../src/guard/slot.ts';
import { userGroup } from '../../src/guard/user-group.ts';

const USERS = 4_096;
const CALLS = 200_000;
/** Attempts that are open at a time. */
const OPEN = 256;
const WARM_UP = 3;
const ROUNDS = 11;

const users = Array.from({ length: USERS }, (_, i) => `user-${String(i * 7_919).padStart(10, '0')}`);
const settings = { failures: FAILURE_KINDS, stalledAfterMs: 1_000 };

/** Keeps the work from being optimised away. */
let sink = 0;

function roundNs(work: (index: number) => number, calls: number): number {
  const begun = process.hrtime.bigint();
  for (let i = 0; i < calls; i += 1) sink = (sink + work(i % USERS)) | 0;
  return Number(process.hrtime.bigint() - begun) / calls;
}

function measure(name: string, work: (index: number) => number, calls = CALLS): void {
  for (let i = 0; i < WARM_UP; i += 1) roundNs(work, calls);
  const rounds = Array.from({ length: ROUNDS }, () => roundNs(work, calls)).toSorted((a, b) => a - b);
  const at = (share: number): string => (rounds[Math.floor(share * (ROUNDS - 1))] ?? 0).toFixed(0);
  console.log(`${name.padEnd(52)} ${at(0.5).padStart(7)} ns  (${at(0)} to ${at(1)})`);
}

function counting(now: () => number): (index: number) => number {
  const counter = new AttemptCounter(settings, now);
  const open = users.slice(0, OPEN).map((user) => counter.begin('everyone', 'new', user, now()));
  return (index) => {
    const place = index % OPEN;
    const before = open[place];
    before?.answered(200);
    before?.over(undefined);
    open[place] = counter.begin('everyone', 'new', users[index] ?? '', now());
    return place;
  };
}

let ms = 0;
measure('nothing (the loop itself)', (index) => index);
measure('the group of a 15-character user', (index) => userGroup(users[index] ?? ''));
measure('performance.now()', () => performance.now());
measure(
  'an attempt, by a clock that costs nothing',
  counting(() => (ms += 0.05)),
);
measure(
  'an attempt, by performance.now()',
  counting(() => performance.now()),
);

function ticking(requests: number): (index: number) => number {
  const counter = new AttemptCounter(settings, () => ms);
  return (index) => {
    for (let i = 0; i < requests; i += 1) {
      const attempt = counter.begin('everyone', 'new', users[(index + i) % USERS] ?? '', ms);
      ms += i % 40;
      attempt.answered(200);
    }
    return counter.drain().size;
  };
}

measure('a tick of no requests', ticking(0), 2_000);
measure('a tick of 50 requests, with them', ticking(50), 2_000);
measure('a tick of 1,000 requests, with them', ticking(1_000), 500);
if (sink === 0.5) console.log(sink);
