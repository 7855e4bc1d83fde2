import t from 'tap';
import { Acknowledger } from '../../src/cutover/acknowledgement.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import type { CountedWrite } from '../../src/intake/counted-write.ts';
import type { Cohort, Hold, Snapshot } from '../../src/model.ts';
import { cohort, snapshot } from '../decision/fixtures.ts';

const MOVERS = cohort({ name: 'movers' });
const OTHERS = cohort({ name: 'others' });

function at(
  epoch: number,
  holds: Record<string, Hold> = {},
  cohorts: readonly Cohort[] = [MOVERS, OTHERS],
): Snapshot {
  return { ...snapshot(cohorts, { cohorts: holds }), epoch };
}

void t.test('what is applied has drained while nobody is held', async (t) => {
  const writes = new InFlightWrites();
  writes.enter({ countedIn: undefined }, 'nina', 'movers', true);
  t.match(new Acknowledger(at(1)).look(at(5), writes), { applied: 5, drained: 5, undrained: [] });
});

void t.test('a hold has drained when the writes of its cohort have ended', async (t) => {
  const writes = new InFlightWrites();
  const acknowledger = new Acknowledger(at(6));
  const one = { countedIn: undefined };
  writes.enter(one, 'nina', 'movers', true);
  const held = at(7, { movers: { change: 'x', epoch: 7 } });
  t.match(acknowledger.look(held, writes), {
    applied: 7,
    drained: 6,
    undrained: [{ cohort: 'movers', writes: 1 }],
  });
  const later = at(9, { movers: { change: 'x', epoch: 7 } });
  t.match(acknowledger.look(later, writes), { applied: 9, drained: 6 }, 'other changes go on');
  writes.end(one, 'nina');
  t.match(acknowledger.look(later, writes), { applied: 9, drained: 9, undrained: [] });
});

void t.test('the hold of one cohort does not wait for the writes of another', async (t) => {
  const writes = new InFlightWrites();
  writes.enter({ countedIn: undefined }, 'leo', 'others', true);
  const held = at(7, { movers: { change: 'x', epoch: 7 } });
  t.match(new Acknowledger(at(6)).look(held, writes), { drained: 7 });
});

void t.test(
  'a map that was rebuilt has the hold at a later epoch, and the first one has not drained',
  async (t) => {
    const writes = new InFlightWrites();
    writes.enter({ countedIn: undefined }, 'nina', 'movers', true);
    const rebuilt = at(1_000, { movers: { change: 'x', epoch: 1_000 } });
    const sawFirst = new Acknowledger(at(6));
    sawFirst.look(at(7, { movers: { change: 'x', epoch: 7 } }), writes);
    t.match(sawFirst.look(rebuilt, writes), { applied: 1_000, drained: 6 });
    t.match(new Acknowledger(at(6)).look(rebuilt, writes), { drained: 6 }, 'also if it missed the first');
  },
);

void t.test('a cohort that attributes lead to waits for all whom attributes placed', async (t) => {
  const writes = new InFlightWrites();
  const one = { countedIn: undefined };
  writes.enter(one, 'leo', 'others', false);
  const byRule = cohort({
    name: 'others',
    rule: { kind: 'exists', attribute: { source: 'header', name: 'x-plan' } },
  });
  const byDefault = cohort({ name: 'movers', isDefault: true });
  const hold = { movers: { change: 'x', epoch: 7 } };
  const look = (...cohorts: Cohort[]) => new Acknowledger(at(6)).look(at(7, hold, cohorts), writes);
  t.match(look(byDefault, byRule), { drained: 6, undrained: [{ cohort: 'movers', unplacedToo: true }] });
  t.match(look(byDefault, OTHERS), { drained: 7 }, 'without rules nobody could fall elsewhere');
  t.match(look(MOVERS, byRule), { drained: 7 }, 'members of this one are named');
});

void t.test('the hold of a user waits for that user alone', async (t) => {
  const writes = new InFlightWrites();
  writes.enter({ countedIn: undefined }, 'nina', 'movers', true);
  const held = (user: string): Snapshot => ({
    ...snapshot([MOVERS], { users: { [user]: { change: 'x', epoch: 7 } } }),
    epoch: 7,
  });
  t.match(new Acknowledger(at(6)).look(held('nina'), writes), { drained: 6 });
  t.match(new Acknowledger(at(6)).look(held('leo'), writes), { drained: 7 });
});

void t.test('a hold has settled while only marked writes are in flight, and has not drained', async (t) => {
  const writes = new InFlightWrites();
  const acknowledger = new Acknowledger(at(6));
  const one: CountedWrite = { countedIn: undefined };
  writes.enter(one, 'nina', 'movers', true);
  const held = at(7, { movers: { change: 'x', epoch: 7 } });
  t.match(acknowledger.look(held, writes), { drained: 6, settled: 6, undrained: [{ unsettled: 1 }] });
  one.countedIn = one.countedIn?.marked();
  t.match(acknowledger.look(held, writes), {
    drained: 6,
    settled: 7,
    undrained: [{ writes: 1, unsettled: 0 }],
  });
});
