import t from 'tap';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import type { CountedWrite } from '../../src/intake/counted-write.ts';

function write(): CountedWrite {
  return { countedIn: undefined };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

void t.test('writes are counted by cohort and by user until they end', async (t) => {
  const writes = new InFlightWrites();
  const [first, second] = [write(), write()];
  writes.enter(first, 'nina', 'movers', true);
  writes.enter(second, 'nina', 'others', true);
  t.same([writes.ofCohort('movers'), writes.ofUser('nina'), writes.total], [1, 2, 2]);
  writes.end(first, 'nina');
  writes.end(first, 'nina');
  t.same([writes.ofCohort('movers'), writes.ofUser('nina'), writes.total], [0, 1, 1], 'ends count once');
  writes.end(second, 'nina');
  t.same([writes.ofCohort('others'), writes.ofUser('nina'), writes.total], [0, 0, 0]);
});

void t.test('a write that is decided anew moves', async (t) => {
  const writes = new InFlightWrites();
  const one = write();
  writes.enter(one, 'nina', 'movers', true);
  writes.enter(one, 'nina', 'movers', true);
  t.equal(writes.ofCohort('movers'), 1);
  writes.enter(one, 'nina', 'others', true);
  t.same([writes.ofCohort('movers'), writes.ofCohort('others'), writes.ofUser('nina')], [0, 1, 1]);
});

void t.test('a cohort has drained when its last write ends', async (t) => {
  const writes = new InFlightWrites();
  const [first, second, foreign] = [write(), write(), write()];
  writes.enter(first, 'nina', 'movers', true);
  writes.enter(second, 'leo', 'movers', false);
  writes.enter(foreign, 'kim', 'others', true);
  const drained = writes.whenDrained('movers');
  writes.end(first, 'nina');
  t.notOk(await isSettled(drained));
  writes.end(second, 'leo');
  t.ok(await isSettled(drained), 'whatever other cohorts have');
  t.ok(await isSettled(writes.whenDrained('movers')), 'at once when there is none');
});

void t.test('users whom only attributes place are waited for whatever cohort sent them', async (t) => {
  const writes = new InFlightWrites();
  const [mine, unplaced, placed] = [write(), write(), write()];
  writes.enter(mine, 'nina', 'movers', true);
  writes.enter(unplaced, 'leo', undefined, false);
  writes.enter(placed, 'kim', 'others', true);
  const drained = writes.whenDrained('movers', true);
  writes.end(mine, 'nina');
  t.notOk(await isSettled(drained));
  t.equal(writes.unplaced, 1);
  writes.end(unplaced, 'leo');
  t.ok(await isSettled(drained));
  t.equal(writes.unplaced, 0);
});

void t.test(
  'writes with a mark are left out of what has to settle, and not of what has to drain',
  async (t) => {
    const writes = new InFlightWrites();
    const [first, second] = [write(), write()];
    writes.enter(first, 'nina', 'movers', true);
    writes.enter(second, 'leo', 'movers', false);
    const settled = writes.whenSettled('movers', true);
    const drained = writes.whenDrained('movers', true);
    first.countedIn = first.countedIn?.marked();
    t.notOk(await isSettled(settled));
    t.same([writes.unsettledOf('movers'), writes.unsettledUnplaced], [1, 1]);
    second.countedIn = second.countedIn?.marked();
    t.ok(await isSettled(settled));
    t.notOk(await isSettled(drained));
    t.same([writes.ofCohort('movers'), writes.unplaced, writes.ofUser('leo'), writes.total], [2, 1, 1, 2]);
    t.same([writes.unsettledOf('movers'), writes.unsettledUnplaced], [0, 0]);
    second.countedIn = second.countedIn?.marked();
    writes.end(first, 'nina');
    t.notOk(await isSettled(drained));
    writes.end(second, 'leo');
    t.ok(await isSettled(drained));
    t.same([writes.ofCohort('movers'), writes.unplaced, writes.total], [0, 0, 0]);
  },
);

void t.test('a marked write that is decided anew has to be marked anew', async (t) => {
  const writes = new InFlightWrites();
  const one = write();
  writes.enter(one, 'nina', 'movers', true);
  one.countedIn = one.countedIn?.marked();
  writes.enter(one, 'nina', 'movers', true);
  t.same([writes.unsettledOf('movers'), writes.ofCohort('movers'), writes.total], [1, 1, 1]);
});
