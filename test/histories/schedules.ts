/**
 * For each fault a schedule on which it shows for certain, and on which a sound build does nothing wrong. Several run
 * in one world, one after the other.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Teardown } from '../harness/teardown.ts';
import type { Verdict } from './checker/check-history.ts';
import type { Stage } from './checker/history.ts';
import { Clients, type ClientUser } from './clients.ts';
import { nowMs } from './clock.ts';
import { Flips } from './flips.ts';
import { FAULTS, type Fault } from './gateways.ts';
import { judge } from './run-history.ts';
import { Seeded } from './seeded.ts';
import { openWorld, TIMES, usersOf, type World } from './world.ts';

interface Scene {
  readonly world: World;
  readonly flips: Flips;
  /** A user whom nobody has asked for. */
  readonly fresh: ClientUser;
  /** Sends one request through one gateway, and notes what came of it. */
  readonly send: (gateway: number, kind: 'read' | 'write', user: ClientUser) => Promise<void>;
}

/** Of these no fault is known: they are for sound builds alone. */
const SOUND = ['wiped after a placement'] as const;
type Schedule = Fault | (typeof SOUND)[number];

/** Users who begin in one cohort and change their attribute at once. */
const TURNCOATS = Array.from({ length: 20 }, (_, index) => `turncoat-${index}`);

const SCHEDULES: { readonly [S in Schedule]: (scene: Scene) => Promise<void> } = {
  /** Writes take longer than a flip that does not wait for them. */
  'no-drain': async ({ flips }) => {
    for (const stage of ['live', 'shadow', 'live', 'shadow'] as const) {
      await flips.flip({ what: 'stage', cohort: 'friends', stage, ramp: '100%', dirtyUsers: 'force' });
      await delay(300);
    }
  },

  /** A gateway hears nothing of a flip, and is written through before, meanwhile and afterwards. */
  'no-fence': async ({ world, flips }) => {
    const wire = 'gateway-1 redis';
    await world.network.order({ kind: 'silence', wire });
    // Undone as long as the gateway may still be serving.
    await flipAtLast(flips, 'friends', 'live');
    await delay(500);
    await world.network.order({ kind: 'mend', wire });
    await delay(500);
    await flipAtLast(flips, 'friends', 'shadow');
  },

  /** A read of a user is on its way while the user is pinned. */
  'put-back': async ({ world, flips, fresh, send }) => {
    const asked = send(0, 'read', fresh);
    await delay(100);
    while ((await flips.flip({ what: 'pin', user: fresh.user, backend: 'new' })) === 'undone');
    await asked;
    for (const gateway of world.gateways.keys()) await send(gateway, 'write', fresh);
  },

  /** Two cohorts differ, and users go from the one to the other with each request, if they are let. */
  'not-sticky': async ({ flips }) => {
    await flipAtLast(flips, 'pro', 'live');
    await delay(1_500);
    await flipAtLast(flips, 'pro', 'shadow');
  },

  /** Users write to `new`, and their cohort goes back without them. */
  'no-marks': async ({ flips }) => {
    await flipAtLast(flips, 'friends', 'live');
    await delay(1_000);
    while ((await flips.flip({ what: 'rollback', cohort: 'friends' })) === 'undone');
    await delay(500);
  },

  /** Users have written to `new`, through either gateway, and it fails to answer their reads. */
  'no-look': async ({ world, flips }) => {
    await flipAtLast(flips, 'friends', 'live');
    for (const reads of ['fail', 'serve', 'reset', 'serve'] as const) {
      await delay(700);
      await world.backends.order(reads);
    }
    await flipAtLast(flips, 'friends', 'shadow');
  },

  /**
   * Redis loses all it has right after users were placed by a rule and had their first write acknowledged, and the
   * gateway that placed them is the last to come back.
   */
  'wiped after a placement': async ({ world, flips, send }) => {
    await flipAtLast(flips, 'pro', 'live');
    const wire = 'gateway-1 redis';
    const as = (user: string, plan: string): ClientUser => ({ user, cohorts: [], plans: [plan] });
    const placed = Promise.all(TURNCOATS.map((user) => send(0, 'write', as(user, 'pro'))));
    // Most are acknowledged by then.
    await delay(60);
    await Promise.all([world.network.order({ kind: 'cut', wire }), world.redis.flush(), placed]);
    const untilMs = nowMs() + 2_000;
    while (nowMs() < untilMs) await Promise.all(TURNCOATS.map((user) => send(1, 'write', as(user, 'free'))));
    await world.network.order({ kind: 'mend', wire });
  },
};

/** Asks again while the change is undone: writes may take longer than a hold. Nobody is left out. */
async function flipAtLast(flips: Flips, cohort: string, stage: Stage): Promise<void> {
  const wish = { what: 'stage', cohort, stage, ramp: '100%', dirtyUsers: 'force' } as const;
  while ((await flips.flip(wish)) === 'undone');
}

/** Those that a sound build is put on. */
export const ALL_SCHEDULES: readonly Schedule[] = [...FAULTS, ...SOUND];

/** Runs schedules one after the other, on gateways with a fault or on sound ones. */
export async function runSchedules(
  t: Teardown,
  schedules: readonly Schedule[],
  fault?: Fault,
): Promise<Verdict> {
  const seed = 1;
  const fresh: ClientUser = { user: 'fresh', cohorts: [], plans: ['free'] };
  const busy = usersOf({ friends: 6, pro: 3, everyone: 3, changing: 6 });
  const world = await openWorld(t, {
    seed,
    gateways: 2,
    users: [...busy, fresh, ...TURNCOATS.map((user) => ({ user, cohorts: [], plans: ['pro', 'free'] }))],
    stages: { friends: 'shadow', pro: 'shadow', everyone: 'shadow' },
    writes: { quickMs: 10, slowMs: TIMES.drainMaxMs * 0.6, slowShare: 0.5 },
    ...(fault === undefined ? {} : { fault }),
  });
  const random = new Seeded(seed);
  const plan = {
    users: busy,
    pauseMs: [10, 60],
    hotUsers: 0,
    hotPauseMs: [0, 0],
    // A write whose client has left goes on at its backend.
    abandonedShare: 0.2,
    slowBodyShare: 0,
  } as const;
  const clientsOf = (gateways: World['gateways']) =>
    new Clients(gateways, plan, random, (operation) => world.recorder.operation(operation));
  const clients = clientsOf(world.gateways);
  const alone = world.gateways.map((gateway) => clientsOf([gateway]));
  const flips = new Flips(world.gateways, random, world.audit);
  const send = async (gateway: number, kind: 'read' | 'write', user: ClientUser): Promise<void> => {
    await alone[gateway]?.once(user, kind);
  };
  clients.run();
  await delay(500);
  for (const each of schedules) {
    await SCHEDULES[each]({ world, flips, fresh, send });
  }
  await Promise.all([clients, ...alone].map((each) => each.stop()));
  return judge(world);
}
