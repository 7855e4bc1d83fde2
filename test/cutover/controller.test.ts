import t from 'tap';
import { ChangeConflictError, ChangeLostError, RecordsLostError } from '../../src/cutover/stores.ts';
import { Gate, World } from './barrier-world.ts';

void t.test(
  'a change that moves a truth is held, switched and released, each in an epoch of its own',
  async (t) => {
    const world = await World.start();
    const gate = new Gate();
    const change = await world.controller(gate).run(await world.open({ stage: 'live' }));
    t.match(change, { phase: 'done', holdEpoch: 2, switchEpoch: 3, releaseEpoch: 4 });
    t.match(change.note, /in force everywhere since epoch 4/u);
    t.equal(world.stage, 'live');
    t.equal(world.holds, 0);
    t.same(
      gate.calls.filter((call) => call !== 'beat'),
      [
        'claim',
        'move to holding',
        'hold',
        'hold',
        'move to switching',
        'switch',
        // Once more: a map that failed over may have lost it.
        'switch',
        'move to releasing',
        'release',
        'release',
        'move to done',
        'forget',
      ],
    );
  },
);

void t.test('a change that moves no truth holds nobody', async (t) => {
  const world = await World.start({ stage: 'dualwrite' });
  const gate = new Gate();
  const change = await world.controller(gate).run(await world.open({ stage: 'shadow' }));
  t.match(change, { phase: 'done', holdEpoch: undefined, switchEpoch: 2, releaseEpoch: undefined });
  t.notOk(gate.calls.includes('hold'));
});

void t.test('a write that does not end in time undoes the change, which says who had it', async (t) => {
  const world = await World.start();
  world.gateway('b').busy = true;
  const beganMs = world.nowMs;
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.match(change, { phase: 'undone', switchEpoch: undefined });
  t.match(change.note, /host of b \(b\) has not finished the writes/u);
  t.notMatch(change.note, /host of a/u);
  t.ok(world.nowMs - beganMs < 5_000, 'before a held write fails');
  t.equal(world.stage, 'off');
  t.equal(world.holds, 0);
  t.equal(world.store.cohorts.get('movers')?.stage, 'off');
});

void t.test(
  'writes of users who stay in new keep nobody waiting, unless those are taken along',
  async (t) => {
    const world = await World.start();
    world.gateway('b').keeping = true;
    const change = await world.controller().run(await world.open({ stage: 'live' }));
    t.match(change, { phase: 'done' });
    const forced = await world.open({ stage: 'shadow' }, 'change-2', 'force');
    t.match(await world.controller().run(forced), { phase: 'undone' });
  },
);

void t.test('a write that ends in time does not', async (t) => {
  const world = await World.start();
  world.gateway('b').busy = true;
  world.onSleep = () => {
    if (world.nowMs > 1_500) world.gateway('b').busy = false;
  };
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.equal(change.phase, 'done');
});

void t.test(
  'a gateway that is lost during the hold undoes the change, which waits for its fence and begins again',
  async (t) => {
    const world = await World.start({ stage: 'shadow' });
    const held: number[] = [];
    world.map.onSnapshot = ({ cohortHolds }) => {
      world.gateway('b').stopped = true;
      held.push(cohortHolds.size);
    };
    const change = await world.controller().run(await world.open({ stage: 'live' }));
    t.match(change, { phase: 'done', restarts: 1, token: 2 });
    t.same(held, [1, 0, 1, 1, 0], 'released in between');
    t.ok(world.nowMs > 12_500, 'it had fenced itself');
    t.equal(world.stage, 'live');
    t.equal(world.holds, 0);
  },
);

void t.test('a change begins again twice at the most', async (t) => {
  const world = await World.start({ stage: 'shadow' });
  world.map.onSnapshot = ({ cohortHolds }) => {
    // It comes back each time, and is lost each time.
    world.gateway('b').stopped = cohortHolds.size > 0;
  };
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.match(change, { phase: 'undone', restarts: 2, note: /host of b \(b\)/u });
  t.equal(world.stage, 'shadow');
  t.equal(world.holds, 0);
});

void t.test('a hold that was lost before the switch has to drain again', async (t) => {
  const world = await World.start({ stage: 'live' });
  let lost = false;
  const dirty = world.marks.dirtyOf.bind(world.marks);
  world.marks.dirtyOf = async (cohorts, limit) => {
    if (!lost) {
      lost = true;
      // The map fails over to a replica that never had the hold, and a write comes in.
      world.map.loseHold('change-1');
      world.gateway('a').busy = true;
    }
    return dirty(cohorts, limit);
  };
  const change = await world.controller().run(await world.open({ stage: 'shadow' }));
  t.ok(lost);
  t.match(change, { phase: 'undone', note: /host of a \(a\) has not finished the writes/u });
});

void t.test('a silent gateway keeps a change pending, and nobody is held', async (t) => {
  const world = await World.start({ stage: 'shadow' });
  world.gateway('b').stopped = true;
  await world.settle(7_000);
  const running = world.controller().run(await world.open({ stage: 'live' }));
  for (let tick = 0; tick < 20; tick += 1) await world.sleep(10);
  t.match(await world.store.readChange('change-1'), { phase: 'pending', note: /host of b \(b\), silent/u });
  t.equal(world.holds, 0);
  // It fences itself meanwhile, and its last writes pass their deadline.
  t.equal((await running).phase, 'done');
  t.ok(world.nowMs > 17_000);
});

void t.test('a fenced gateway is no obstacle between stages under way', async (t) => {
  const world = await World.start({ stage: 'shadow' });
  world.gateway('b').stopped = true;
  await world.settle(20_000);
  t.equal((await world.controller().run(await world.open({ stage: 'live' }))).phase, 'done');
  t.equal((await world.controller().run(await world.open({ stage: 'rampdown' }, 'second'))).phase, 'done');
});

void t.test(
  'a fenced gateway keeps a cohort from leaving off and complete, until it is evicted',
  async (t) => {
    for (const stage of ['off', 'complete'] as const) {
      for (const next of ['live', 'dualwrite'] as const) {
        const world = await World.start({ stage });
        world.gateway('b').stopped = true;
        await world.settle(20_000);
        const change = await world.controller().run(await world.open({ stage: next }));
        t.equal(change.phase, 'undone', `${stage} to ${next}`);
        t.match(change.note, /host of b \(b\), fenced .* has to agree/u);
        t.equal(world.stage, stage);

        await world.map.dropLease('b');
        await world.store.deregisterGateway('b');
        const again = await world.controller().run(await world.open({ stage: next }, 'again'));
        t.equal(again.phase, 'done', `${stage} to ${next} without it`);
      }
    }
  },
);

void t.test('a gateway that vanishes after it has drained is waited for until it is fenced', async (t) => {
  const world = await World.start();
  world.map.onSnapshot = ({ epoch }) => {
    if (epoch === 3) world.gateway('b').stopped = true;
  };
  const beganMs = world.nowMs;
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.equal(change.phase, 'done', 'there is only forward');
  t.ok(world.nowMs - beganMs >= 12_500);
});

void t.test('a gateway that joins during the hold has to drain as well', async (t) => {
  const world = await World.start();
  let joined = false;
  world.gateway('a').busy = true;
  world.onSleep = () => {
    if (world.holds === 0 || joined) return;
    joined = true;
    void world.join('late').then((late) => {
      late.busy = true;
      late.tick();
      world.gateway('a').busy = false;
    });
  };
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.equal(change.phase, 'undone');
  t.match(change.note, /host of late/u);
});

void t.test('configurations that differ in what is whose keep a truth from moving', async (t) => {
  const world = await World.start({ stage: 'dualwrite' });
  world.gateway('b').digest = 'another';
  await world.settle(200);
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.match(change, { phase: 'undone', holdEpoch: undefined, note: /differ in what is whose/u });
  const harmless = await world.controller().run(await world.open({ stage: 'shadow' }, 'second'));
  t.equal(harmless.phase, 'done', 'where no truth moves they may differ');
});

void t.test('a second change of the cohort is refused with the first one', async (t) => {
  const world = await World.start();
  await world.open({ stage: 'live' });
  await t.rejects(world.open({ stage: 'shadow' }, 'second'), new ChangeConflictError('change-1'));
});

/** How many calls a whole change makes, by its shape. */
async function callsOf(first: 'off' | 'dualwrite', next: 'live' | 'shadow'): Promise<readonly string[]> {
  const world = await World.start({ stage: first });
  const gate = new Gate();
  await world.controller(gate).run(await world.open({ stage: next }));
  return gate.calls;
}

void t.test('whatever the last step of a controller was, the change is finished or undone', async (t) => {
  for (const [first, next] of [
    ['off', 'live'],
    ['dualwrite', 'shadow'],
  ] as const) {
    const calls = await callsOf(first, next);
    for (const [stopAt, name] of calls.slice(0, -1).entries()) {
      for (const after of [false, true]) {
        const what = `${first} to ${next}, stopped ${after ? 'after' : 'before'} ${name} (${stopAt})`;
        const world = await World.start({ stage: first });
        const gate = new Gate();
        gate.stopAt = stopAt;
        gate.after = after;
        const old = world
          .controller(gate)
          .run(await world.open({ stage: next }))
          .catch((error: unknown) => error);
        while (!gate.stopped) await world.sleep(10);
        // The end was committed: nobody has to recover anything.
        const isDone = (await world.store.readChange('change-1'))?.phase === 'done';
        const phase = isDone ? 'done' : (await world.recover()).phase;
        const committed = world.store.cohorts.get('movers')?.stage === next;
        t.equal(phase, committed ? 'done' : 'undone', what);
        t.equal(world.stage, committed ? next : first, 'the map has what the record says');
        t.equal(world.holds, 0, 'nobody is held');

        // The old one was only asleep. It finds out, and does no harm.
        const epoch = world.map.snapshot.epoch;
        gate.resume();
        const end = await old;
        if (!isDone) t.type(end, ChangeLostError, what);
        t.equal(world.map.snapshot.epoch, epoch, 'the one that woke up changed nothing');
      }
    }
  }
});

void t.test('a controller that goes on beating is not taken over', async (t) => {
  const world = await World.start({ stage: 'shadow' });
  world.gateway('b').stopped = true;
  await world.settle(7_000);
  const running = world.controller().run(await world.open({ stage: 'live' }));
  await t.rejects(world.recover(), /nobody took/u);
  t.equal((await running).phase, 'done');
});

void t.test('a commit whose answer is lost is not made twice', async (t) => {
  const world = await World.start();
  const { store } = world;
  const move = store.moveChange.bind(store);
  const lost: string[] = [];
  store.moveChange = async (id, token, from, to, patch) => {
    const moved = await move(id, token, from, to, patch);
    if (lost.includes(to)) return moved;
    lost.push(to);
    throw new Error('the connection was lost');
  };
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.match(change, { phase: 'done', switchEpoch: 3, releaseEpoch: 4 });
  t.same(lost, ['holding', 'switching', 'releasing', 'done']);
});

void t.test('a map that takes no hold in time undoes the change', async (t) => {
  const world = await World.start();
  world.map.hold = async () => {
    throw new Error('no Redis');
  };
  const change = await world.controller().run(await world.open({ stage: 'live' }));
  t.match(change, { phase: 'undone', note: /the hold could not be set: no Redis/u });
});

void t.test('records that a failed-over map has lost are put again before the switch', async (t) => {
  const world = await World.start();
  const { map } = world;
  const done: string[] = [];
  const [putUsers, switchTo] = [map.putUsers.bind(map), map.switchTo.bind(map)];
  map.putUsers = async (...step) => {
    done.push('records');
    await putUsers(...step);
  };
  map.switchTo = async (...step) => {
    done.push('switch');
    if (done.length === 2) throw new RecordsLostError(step[0]);
    return switchTo(...step);
  };
  const change = await world.controller().run(await world.openUsers({}));
  t.match(change, { phase: 'done' });
  t.same(done.slice(0, 4), ['records', 'switch', 'records', 'switch']);
});

void t.test('a step whose epoch a failed-over map gave to another change is taken again', async (t) => {
  const world = await World.start({ stage: 'dualwrite' });
  const { map } = world;
  const switchTo = map.switchTo.bind(map);
  const steps: number[] = [];
  map.switchTo = async (...step) => {
    // The first one was in a master that died, and the replica gave its epoch to something else.
    const epoch = steps.length === 0 ? (await map.epoch()) + 1 : await switchTo(...step);
    if (steps.length === 0) await map.hold('other', 1, { held: ['movers'], users: [] });
    steps.push(epoch);
    return epoch;
  };
  await map.claim('other', 1);
  const change = await world.controller().run(await world.open({ stage: 'shadow' }));
  t.equal(world.stage, 'shadow', 'it is in force');
  t.same(steps, [2, 3, 3]);
  t.match(change, { phase: 'done', switchEpoch: 3 });
});
