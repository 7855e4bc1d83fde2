import fc from 'fast-check';
import t from 'tap';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { AttemptCounter } from '../../src/guard/attempt-counter.ts';
import { failureKind } from '../../src/guard/failure-kind.ts';
import type { CountingSettings } from '../../src/guard/open-attempts.ts';
import { type Counts, FAILURE_KINDS, latencyBin, TICK_MS, USER_GROUPS } from '../../src/guard/slot.ts';
import type { SideReport } from '../../src/guard/slot-feed.ts';
import { userGroup } from '../../src/guard/user-group.ts';

const SETTINGS: CountingSettings = { failures: FAILURE_KINDS, stalledAfterMs: 1_000 };

/** A counter and its clock. */
function counting(settings = SETTINGS): { counter: AttemptCounter; clock: { ms: number } } {
  const clock = { ms: 5_000 };
  return { counter: new AttemptCounter(settings, () => clock.ms), clock };
}

type Sums = Omit<Counts, 'latency'>;

function sums(side: SideReport | undefined): Sums {
  const sum = { requests: 0, failed: 0, stalled: 0, late: 0, compared: 0, mismatched: 0 };
  for (const counts of side?.byGroup.values() ?? []) {
    sum.requests += counts.requests;
    sum.failed += counts.failed;
    sum.stalled += counts.stalled;
    sum.late += counts.late;
    sum.compared += counts.compared;
    sum.mismatched += counts.mismatched;
  }
  return sum;
}

function newSide(counter: AttemptCounter, cohort = 'free'): SideReport | undefined {
  return counter.drain().get(cohort)?.new;
}

const NOTHING: Sums = { requests: 0, failed: 0, stalled: 0, late: 0, compared: 0, mismatched: 0 };

void t.test('an answered request is counted once, at its latency, and told once', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  clock.ms += 20;
  attempt.answered(200);
  clock.ms += 500;
  attempt.over(undefined);
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 1 });
  t.same([...(side?.byGroup.get(userGroup('ada'))?.latency ?? [])], [[latencyBin(20), 1]]);
  t.equal(counter.drain().size, 0);
});

void t.test('a 5xx is a failure of the kind status, a 404 is none', async (t) => {
  const { counter, clock } = counting();
  for (const status of [500, 503, 404]) {
    const attempt = counter.begin('free', 'new', 'ada', clock.ms);
    attempt.answered(status);
    attempt.over(undefined);
  }
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 3, failed: 2 });
  t.same(side?.kinds, { status: 2 });
});

void t.test('an answer that breaks off makes its request a failure, and no second request', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  attempt.answered(200);
  attempt.over('backend_body_closed');
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 1, failed: 1 });
  t.same(side?.kinds, { reset: 1 });
});

void t.test('a 5xx whose body breaks off is one failure', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  attempt.answered(500);
  attempt.over('backend_body_closed');
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 1, failed: 1 });
  t.same(side?.kinds, { status: 1 });
});

void t.test('an answer that breaks off in a later tick waits for a request to be failed of', async (t) => {
  const { counter, clock } = counting();
  const broken = counter.begin('free', 'new', 'ada', clock.ms);
  broken.answered(200);
  t.same(sums(newSide(counter)), { ...NOTHING, requests: 1 });
  broken.over('backend_body_closed');
  const between = newSide(counter);
  t.same(sums(between), NOTHING);
  t.same(between?.kinds, { reset: 1 });
  counter.begin('free', 'new', 'ada', clock.ms).answered(200);
  t.same(sums(newSide(counter)), { ...NOTHING, requests: 1, failed: 1 });
});

void t.test('a kind that does not count is told by kind only', async (t) => {
  const { counter, clock } = counting({ ...SETTINGS, failures: ['connect'] });
  counter.begin('free', 'new', 'ada', clock.ms).answered(500);
  counter.begin('free', 'new', 'ada', clock.ms).over('backend_refused');
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 2, failed: 1 });
  t.same(side?.kinds, { connect: 1, status: 1 });
  counter.reconfigure(SETTINGS);
  counter.begin('free', 'new', 'ada', clock.ms).answered(500);
  t.equal(sums(newSide(counter)).failed, 1);
});

void t.test('a client that leaves is a request of its age, and no failure', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  clock.ms += 300;
  attempt.over('client_closed');
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, requests: 1 });
  t.same([...(side?.byGroup.get(userGroup('ada'))?.latency ?? [])], [[latencyBin(300), 1]]);
});

void t.test('a request without an answer stalls when it is of age, and is late when it comes', async (t) => {
  const { counter, clock } = counting();
  const early = counter.begin('free', 'new', 'ada', clock.ms);
  clock.ms += 1;
  const later = counter.begin('free', 'new', 'bob', clock.ms);
  clock.ms += 998;
  t.same(counter.drain().size, 0, 'nobody is of age');
  clock.ms += 1;
  t.same(sums(newSide(counter)), { ...NOTHING, stalled: 1 }, 'exactly of age');
  t.same(counter.drain().size, 0, 'it is counted once');
  early.over('backend_headers_timeout');
  later.answered(200);
  t.same(sums(newSide(counter)), { ...NOTHING, requests: 2, failed: 1, late: 1 });
  clock.ms += 5_000;
  t.equal(counter.drain().size, 0);
});

void t.test('one that comes of age between two ticks stalls and is late in one', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  clock.ms += 1_000;
  attempt.answered(200);
  t.same(sums(newSide(counter)), { ...NOTHING, requests: 1, stalled: 1, late: 1 });
});

void t.test(
  'while its client sends the body a request does not stall, and its latency begins after',
  async (t) => {
    const { counter, clock } = counting();
    const attempt = counter.begin('free', 'new', 'ada', clock.ms);
    attempt.uploading();
    clock.ms += 30_000;
    t.equal(counter.drain().size, 0);
    attempt.sent();
    clock.ms += 10;
    attempt.answered(201);
    const side = newSide(counter);
    t.same(sums(side), { ...NOTHING, requests: 1 });
    t.same([...(side?.byGroup.get(userGroup('ada'))?.latency ?? [])], [[latencyBin(10), 1]]);
  },
);

void t.test('an upload that is refused before its end is over', async (t) => {
  const { counter, clock } = counting();
  const attempt = counter.begin('free', 'new', 'ada', clock.ms);
  attempt.uploading();
  clock.ms += 2_000;
  attempt.answered(413);
  attempt.over(undefined);
  attempt.sent();
  clock.ms += 5_000;
  t.same(sums(newSide(counter)), { ...NOTHING, requests: 1 });
});

void t.test('a second attempt at the other backend is a request there', async (t) => {
  const { counter, clock } = counting();
  counter.begin('free', 'new', 'ada', clock.ms).over('backend_refused');
  counter.begin('free', 'legacy', 'ada', clock.ms).answered(200);
  const { legacy, new: fresh } = counter.drain().get('free') ?? {};
  t.same(sums(fresh), { ...NOTHING, requests: 1, failed: 1 });
  t.same(sums(legacy), { ...NOTHING, requests: 1 });
});

void t.test('compared reads and mismatches are counted at new, by user', async (t) => {
  const { counter } = counting();
  counter.compared('free', 'ada', true);
  counter.compared('free', 'bob', false);
  const side = newSide(counter);
  t.same(sums(side), { ...NOTHING, compared: 2, mismatched: 1 });
  t.equal(side?.byGroup.get(userGroup('ada'))?.mismatched, 1);
});

void t.test('totals are those of all ticks, by cohort and backend', async (t) => {
  const { counter, clock } = counting();
  for (let tick = 0; tick < 3; tick += 1) {
    counter.begin('free', 'new', 'ada', clock.ms).over('backend_refused');
    counter.begin('free', 'legacy', 'ada', clock.ms).answered(200);
    counter.drain();
  }
  const kinds = { connect: 0, timeout: 0, reset: 0, status: 0, overload: 0 };
  t.same(counter.totals(), [
    { cohort: 'free', backend: 'legacy', requests: 3, failed: 0, stalled: 0, kinds },
    { cohort: 'free', backend: 'new', requests: 3, failed: 3, stalled: 0, kinds: { ...kinds, connect: 3 } },
  ]);
});

void t.test('a cohort that is idle for an hour is let go', async (t) => {
  const { counter, clock } = counting();
  counter.begin('free', 'new', 'ada', clock.ms).answered(200);
  counter.drain();
  clock.ms += 3_600_001;
  counter.drain();
  t.same(counter.totals(), []);
});

void t.test('every failure on the backend side has a kind, and no other', async (t) => {
  const isCode = (name: string): name is ErrorCode => Object.hasOwn(ERRORS, name);
  for (const code of Object.keys(ERRORS).filter(isCode)) {
    t.equal(failureKind(code) !== undefined, ERRORS[code].stage.endsWith(', backend'), code);
  }
});

void t.test('users spread evenly over the groups', async (t) => {
  const sizes = Array.from({ length: USER_GROUPS }, () => 0);
  for (let i = 0; i < 16_000; i += 1) {
    const group = userGroup(`user-${i}`);
    sizes[group] = (sizes[group] ?? 0) + 1;
  }
  // Of 1,000 expected, with a deviation of 31.
  t.ok(Math.min(...sizes) > 850 && Math.max(...sizes) < 1_150, sizes.join(' '));
});

void t.test('whatever happens to requests, each is counted once, and its parts agree', async () => {
  const step = fc.record({
    user: fc.integer({ min: 0, max: 40 }),
    act: fc.constantFrom('begin', 'answered', 'broken', 'refused', 'left', 'tick', 'upload', 'sent'),
    waitMs: fc.integer({ min: 0, max: 700 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { counter, clock } = counting();
      const open: ReturnType<AttemptCounter['begin']>[] = [];
      const sum = { ...NOTHING, begun: 0, inLatency: 0 };
      const tick = (): void => {
        for (const counts of newSide(counter)?.byGroup.values() ?? []) {
          if (counts.failed > counts.requests || counts.late > counts.requests) throw new Error('too many');
          sum.requests += counts.requests;
          sum.failed += counts.failed;
          sum.stalled += counts.stalled;
          sum.late += counts.late;
          for (const [, count] of counts.latency) sum.inLatency += count;
        }
      };
      for (const { user, act, waitMs } of steps) {
        clock.ms += waitMs;
        const attempt = open[user % Math.max(1, open.length)];
        if (act === 'begin') {
          open.push(counter.begin('free', 'new', `user ${user}`, clock.ms));
          sum.begun += 1;
        } else if (act === 'tick') tick();
        else if (act === 'answered') attempt?.answered(200);
        else if (act === 'broken') attempt?.over('backend_closed');
        else if (act === 'refused') attempt?.over('backend_refused');
        else if (act === 'left') attempt?.over('client_closed');
        else if (act === 'upload') attempt?.uploading();
        else attempt?.sent();
      }
      for (const attempt of open) attempt.over('client_closed');
      tick();
      return (
        sum.requests === sum.begun &&
        sum.inLatency === sum.begun &&
        sum.stalled === sum.late &&
        sum.failed <= sum.requests
      );
    }),
  );
});

void t.test('a pause of the process is nobody’s latency, and nobody has stalled in it', async (t) => {
  const { counter, clock } = counting();
  counter.ticked();
  const [answered, waiting] = [
    counter.begin('free', 'new', 'nina', clock.ms),
    counter.begin('free', 'new', 'leo', clock.ms),
  ];
  clock.ms += 3_000;
  answered.answered(200);
  counter.ticked();
  const side = newSide(counter);
  t.match(sums(side), { requests: 1, stalled: 0, late: 0 });
  const [first] = [...(side?.byGroup.values() ?? [])].flatMap(({ latency }) => [...latency]);
  t.ok(first !== undefined && first[0] <= latencyBin(TICK_MS + 50), 'what the tick was late is not counted');
  for (let tick = 0; tick < 4; tick += 1) {
    clock.ms += TICK_MS + 10;
    counter.ticked();
  }
  t.match(sums(newSide(counter)), { requests: 0, stalled: 1 }, 'ticks in time are time');
  waiting.answered(200);
  t.match(sums(newSide(counter)), { requests: 1, stalled: 0, late: 1 });
});

void t.test(
  'telling between two ticks finds who has stalled, and changes nothing about pauses',
  async (t) => {
    const { counter, clock } = counting();
    counter.ticked();
    counter.begin('free', 'new', 'nina', clock.ms);
    for (let tick = 0; tick < 3; tick += 1) {
      clock.ms += TICK_MS;
      counter.ticked();
    }
    clock.ms += TICK_MS - 1;
    t.same(sums(newSide(counter)), NOTHING, 'it is not of age');
    clock.ms += 1;
    t.match(sums(newSide(counter)), { stalled: 1 }, 'without a tick');
    counter.ticked();
    const answered = counter.begin('free', 'new', 'leo', clock.ms);
    clock.ms += 50;
    counter.drain();
    clock.ms += 3_000;
    answered.answered(200);
    const [side] = [...(newSide(counter)?.byGroup.values() ?? [])];
    t.same([...(side?.latency ?? [])], [[latencyBin(TICK_MS + 50), 1]], 'as late as after the tick alone');
  },
);
