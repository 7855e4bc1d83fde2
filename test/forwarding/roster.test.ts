import t from 'tap';
import { type Listed, Roster } from '../../src/forwarding/roster.ts';
import { Seeded } from '../histories/seeded.ts';

await t.test('has the members that a set would have', async (t) => {
  const random = new Seeded(7);
  const roster = new Roster<Listed>();
  const model = new Set<Listed>();
  const known = Array.from({ length: 40 }, () => ({ listedAt: -1 }));
  for (let n = 0; n < 20_000; n++) {
    const one = known[Math.floor(random.next() * known.length)] ?? { listedAt: -1 };
    if (random.next() < 0.5) {
      roster.add(one);
      model.add(one);
    } else if (roster.delete(one) !== model.delete(one)) {
      t.fail('one of the two had the member, the other had not');
    }
    const all = roster.all();
    if (all.length !== model.size || roster.size !== model.size || all.some((each) => !model.has(each))) {
      t.fail(`step ${n}: other members than the set`);
      return;
    }
  }
  t.pass('20,000 steps');
});

await t.test('who leaves while all are gone through is still in what is gone through', async (t) => {
  const roster = new Roster<Listed>();
  const members = [{ listedAt: -1 }, { listedAt: -1 }, { listedAt: -1 }];
  for (const member of members) roster.add(member);
  const seen = roster.all().filter((member) => roster.delete(member));
  t.equal(seen.length, 3);
  t.equal(roster.size, 0);
});

await t.test('a member that has left is held by nothing', async (t) => {
  const roster = new Roster<Listed>();
  const stays = { listedAt: -1 };
  const leaves = new WeakRef(addAndLeave(roster));
  roster.add(stays);
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // The engine keeps what a WeakRef was made of until the turn is over.
  await new Promise((done) => setImmediate(done));
  if (typeof collect === 'function') collect();
  t.equal(leaves.deref(), undefined);
  t.equal(roster.size, 1);
});

function addAndLeave(roster: Roster<Listed>): Listed {
  const member = { listedAt: -1 };
  roster.add(member);
  roster.delete(member);
  return member;
}
