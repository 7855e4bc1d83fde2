import t from 'tap';
import { Admission, type Job } from '../../src/shadow/admission.ts';
import type { ShadowSkip } from '../../src/shadow/report-sink.ts';

interface Played {
  readonly job: Job;
  readonly events: string[];
  readonly end: () => void;
}

function play(name: string, events: string[], options: Partial<Job> = {}): Played {
  const { promise, resolve } = Promise.withResolvers<void>();
  const job: Job = {
    from: ['new'],
    sinceMs: 0,
    run: (leftMs) => {
      events.push(`${name} runs ${leftMs}`);
      return promise;
    },
    skip: (reason) => void events.push(`${name} ${reason}`),
    ...options,
  };
  return { job, events, end: resolve };
}

interface Bench {
  readonly admission: Admission;
  readonly events: string[];
  nowMs: number;
  trouble: ShadowSkip | undefined;
}

function bench(concurrencyMax: number, deadlineMs = 100): Bench {
  const made: Bench = {
    events: [],
    nowMs: 0,
    trouble: undefined,
    admission: new Admission({
      bounds: () => ({ concurrencyMax, deadlineMs }),
      trouble: () => made.trouble,
      now: () => made.nowMs,
    }),
  };
  return made;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

void t.test('as many run as may, twice as many wait, the rest is skipped', async (t) => {
  const { admission, events } = bench(1);
  const jobs = ['a', 'b', 'c', 'd'].map((name) => play(name, events));
  for (const { job } of jobs) admission.submit(job);
  t.strictSame(events, ['a runs 100', 'd queue_full']);
  t.equal(admission.reads, 1);
  t.equal(admission.queued, 2);
  for (const { end } of jobs) end();
  await settled();
  t.strictSame(events.slice(2), ['b runs 100', 'c runs 100']);
  t.equal(admission.reads, 0);
});

void t.test('the wait counts against the deadline, and ends at it', async (t) => {
  const world = bench(1);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => play(name, world.events));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three jobs');
  world.admission.submit(a.job);
  world.admission.submit(b.job);
  world.admission.submit(c.job);
  world.nowMs = 60;
  a.end();
  await settled();
  world.nowMs = 100;
  b.end();
  await settled();
  t.strictSame(world.events, ['a runs 100', 'b runs 40', 'c queue_deadline']);
});

void t.test('trouble skips what comes and what waits', async (t) => {
  const world = bench(1);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => play(name, world.events));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three jobs');
  world.admission.submit(a.job);
  world.admission.submit(b.job);
  world.trouble = 'breaker_open';
  world.admission.submit(c.job);
  a.end();
  await settled();
  t.strictSame(world.events, ['a runs 100', 'c breaker_open', 'b breaker_open']);
});

void t.test('two reads take two places, and run also where one is allowed', async (t) => {
  const { admission, events } = bench(1);
  const both = play('both', events, { from: ['legacy', 'new'] });
  admission.submit(both.job);
  t.equal(admission.reads, 2);
  both.end();
  await admission.idle();
  const three = bench(3);
  const first = play('1', three.events, { from: ['legacy', 'new'] });
  const second = play('2', three.events, { from: ['legacy', 'new'] });
  three.admission.submit(first.job);
  three.admission.submit(second.job);
  t.strictSame(three.events, ['1 runs 100']);
  first.end();
  second.end();
  await settled();
  t.strictSame(three.events, ['1 runs 100', '2 runs 100']);
});

void t.test('stopped, it skips what waits and what comes, and is idle when the rest has ended', async (t) => {
  const { admission, events } = bench(1);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => play(name, events));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three jobs');
  admission.submit(a.job);
  admission.submit(b.job);
  admission.stop();
  admission.submit(c.job);
  t.strictSame(events.slice(1), ['b stopping', 'c stopping']);
  setImmediate(a.end);
  await admission.idle();
  t.equal(admission.reads, 0);
});
