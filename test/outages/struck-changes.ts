/** A stage, a pin and a rollback, each struck by an outage in each of its phases. */
import type { Test } from 'tap';
import { type Change, isOver } from '../../src/cutover/change.ts';
import type { Control } from '../../src/cutover/control.ts';
import type { Backend } from '../../src/model.ts';
import { untilLive } from '../cutover/gateways.ts';
import { within } from '../harness/within.ts';
import type { HeldPhase } from './gate.ts';
import { ended, expectOwner, type OutageWorld, PATIENCE_MS, send, untilAnswered } from './outage-world.ts';

export interface Outage {
  /** Before the change is asked for. */
  readonly prepare?: (world: OutageWorld) => Promise<void>;
  readonly away: (world: OutageWorld) => Promise<void>;
  readonly back: (world: OutageWorld) => Promise<void>;
  /** The map has to be made anew from the record. */
  readonly losesMap: boolean;
}

interface Move {
  readonly name: string;
  /** Whose truth moves. */
  readonly user: string;
  readonly from: Backend;
  readonly to: Backend;
  readonly begin: (control: Control) => Promise<Change>;
}

const BY = { actor: 'ops', reason: 'test', expectedEpoch: undefined, idempotencyKey: undefined } as const;
const PHASES: readonly HeldPhase[] = ['holding', 'switching', 'releasing'];

function pinning(user: string): Move {
  const request = { ...BY, user, backend: 'new', dirtyUsers: 'keep' } as const;
  return { name: 'pin', user, from: 'legacy', to: 'new', begin: (control) => control.pin(request) };
}

function goingLive(user: string): Move {
  const request = { ...BY, cohort: 'movers', stage: 'live', ramp: undefined, dirtyUsers: 'keep' } as const;
  return { name: 'stage', user, from: 'legacy', to: 'new', begin: (control) => control.changeStage(request) };
}

function goingBack(user: string): Move {
  const request = { ...BY, cohort: 'movers', dirtyUsers: 'keep' } as const;
  return { name: 'rollback', user, from: 'new', to: 'legacy', begin: (control) => control.rollback(request) };
}

function mapId({ redis }: OutageWorld): Promise<string | null> {
  return redis.client.hget(`{${redis.prefix}}:meta`, 'id');
}

/** How many maps there were before this one: each begins at the next multiple of a million. */
async function rebuilds({ redis }: OutageWorld): Promise<number> {
  return Math.floor(Number(await redis.client.hget(`{${redis.prefix}}:meta`, 'epoch')) / 1_000_000);
}

/** Makes the change with nobody away. */
async function make(t: Test, { control }: OutageWorld, move: Move): Promise<void> {
  const change = await ended(control, (await move.begin(control)).id);
  t.equal(change.phase, 'done', `${move.name} of ${move.user}: ${change.note}`);
}

/** Every gateway has drained the hold, so whatever is written from now on waits. */
function untilHeld({ control }: OutageWorld, epoch: number): Promise<boolean> {
  return untilAnswered('gateways that hold', async () => {
    const gateways = await control.gateways();
    return gateways.every(({ drained = 0 }) => drained >= epoch) ? true : undefined;
  });
}

/** Whom reads are answered by while a store is away in this phase; during a switch by either. */
function mayRead({ from, to }: Move, phase: HeldPhase): readonly Backend[] {
  switch (phase) {
    case 'holding':
      return [from];
    case 'switching':
      return [from, to];
    case 'releasing':
      return [to];
    default: {
      const unknown: never = phase;
      return unknown;
    }
  }
}

/** The map is another one, and has the hold of a change that the record has not released. */
async function expectMadeAnew(
  t: Test,
  world: OutageWorld,
  before: string | null,
  phase: HeldPhase,
): Promise<void> {
  const { client, prefix } = world.redis;
  await untilAnswered('a map that is made anew', async () => {
    const id = await mapId(world);
    return id === null || id === before ? undefined : id;
  });
  t.equal(await client.hlen(`{${prefix}}:holds`), phase === 'releasing' ? 0 : 1, 'its hold');
}

/**
 * Begins the change, takes the store away right after the step of this phase, and brings it back.
 *
 * @param dies the controller does nothing any more
 */
async function strike(
  t: Test,
  world: OutageWorld,
  outage: Outage,
  phase: HeldPhase,
  move: Move,
  dies = false,
): Promise<Change> {
  const { control, gate, ports } = world;
  for (const port of ports) t.equal(await send(port, 'GET', move.user), move.from, 'before the change');
  await outage.prepare?.(world);
  const mapBefore = await mapId(world);
  const rebuiltBefore = await rebuilds(world);
  const stop = gate.stopAfter(phase);
  // It rejects when the store is away that it asks how the change is doing; the change goes on.
  const asked = move.begin(control).catch(() => undefined);
  const epoch = await within(stop.reached, `a ${move.name} that is ${phase}`, PATIENCE_MS);
  const [open] = await control.openChanges();
  if (open === undefined) throw new Error('no change is open');
  t.match(open, { kind: move.name, phase });
  if (phase === 'holding') await untilHeld(world, epoch);
  const held = ports.map((port) => send(port, 'POST', move.user));

  await outage.away(world);
  for (const port of ports) {
    const reader = await send(port, 'GET', move.user);
    t.ok(
      mayRead(move, phase).some((backend) => backend === reader),
      `a read goes on: ${reader}`,
    );
  }
  // Some controllers meet the outage, others what it has left.
  const meets = move.name === 'rollback' && !dies;
  if (meets) stop.resume();
  await outage.back(world);
  if (!meets && outage.losesMap) await expectMadeAnew(t, world, mapBefore, phase);
  if (!dies) stop.resume();

  const change = await ended(control, open.id);
  // What it does now comes too late for anybody.
  stop.resume();
  await asked;
  t.comment(`${change.kind}, ${phase}: ${change.phase}, ${change.note}`);
  if (phase !== 'holding') t.equal(change.phase, 'done', 'past the point of no return there is only forward');
  const owner = change.phase === 'done' ? move.to : move.from;
  for (const answer of await within(Promise.all(held), 'the held writes', PATIENCE_MS))
    t.ok(answer === owner || answer.startsWith('503 '), `a write that was held: ${answer}`);
  await untilLive(control, 2);
  await expectOwner(t, world, move.user, owner);
  t.strictSame(await control.openChanges(), [], 'nothing is left open');
  t.equal(await world.redis.client.hlen(`{${world.redis.prefix}}:holds`), 0, 'nobody is held');
  t.equal(
    (await rebuilds(world)) - rebuiltBefore,
    outage.losesMap ? 1 : 0,
    'a lost map is made anew, by one gateway',
  );
  return change;
}

/** The outage in each phase of a stage, of a rollback that keeps a user, and of a pin. */
export async function strikeChanges(t: Test, world: OutageWorld, outage: Outage): Promise<void> {
  const { control } = world;
  const kept = ['pinned before'];
  await make(t, world, pinning('pinned before'));
  await expectOwner(t, world, 'pinned before', 'new');

  for (const phase of PHASES) {
    await t.test(phase, async (t) => {
      const live = goingLive(`wrote, ${phase}`);
      if ((await strike(t, world, outage, phase, live)).phase === 'undone') await make(t, world, live);
      await expectOwner(t, world, live.user, 'new');

      const back = goingBack(`clean, ${phase}`);
      const rollback = await strike(t, world, outage, phase, back);
      if (rollback.phase === 'undone') await make(t, world, { ...back, user: 'again' });
      else t.equal(rollback.dirty, 1, 'exactly the user with writes in new is kept');
      kept.push(live.user);

      const pin = pinning(`pinned, ${phase}`);
      if ((await strike(t, world, outage, phase, pin)).phase === 'undone') await make(t, world, pin);
      kept.push(pin.user);

      for (const user of kept) {
        await expectOwner(t, world, user, 'new');
        t.match(await control.user(user), { record: { pin: 'new' }, dirty: true }, 'its pin and its mark');
      }
      const [movers] = await control.cohorts();
      t.equal(movers?.stage, 'shadow');
    });
  }

  await t.test('the controller is gone too', (t) =>
    world.besides(async () => {
      const live = goingLive('left');
      const undone = await strike(t, world, outage, 'holding', live, true);
      t.match(undone, { phase: 'undone', note: /vanished while it was holding/ });
      const again = goingLive('left, but switched');
      t.match(await strike(t, world, outage, 'switching', again, true), { phase: 'done', token: 2 });
    }),
  );
  t.ok((await control.changes(undefined, 100)).every((each) => isOver(each.phase)));
}
