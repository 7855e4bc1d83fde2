import t from 'tap';
import { ComparisonTurns } from '../../src/shadow/comparison-turns.ts';
import { LoopLag } from '../../src/shadow/loop-lag.ts';

void t.test('one turn of the loop has one comparison, small ones first', async (t) => {
  const turns = new ComparisonTurns(
    () => false,
    () => 0,
  );
  const order: string[] = [];
  const asked = [
    turns.next(300_000).then(() => order.push('large')),
    turns.next(1).then(() => order.push('a')),
    turns.next(1).then(() => order.push('b')),
  ];
  const counts: number[] = [];
  for (let turn = 0; turn < 8 && order.length < 3; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    counts.push(order.length);
  }
  await Promise.all(asked);
  t.strictSame(order, ['a', 'b', 'large']);
  t.ok(counts.every((count, index) => count - (counts[index - 1] ?? 0) <= 1));
});

void t.test('a large one waits while the loop is late, and goes on when it is not', async (t) => {
  const loop = { late: true };
  const turns = new ComparisonTurns(
    () => loop.late,
    () => 0,
  );
  let granted: boolean | undefined;
  const asked = turns.next(300_000).then((given) => {
    granted = given;
  });
  t.equal(await turns.next(1), true, 'a small one does not wait');
  t.equal(granted, undefined);
  loop.late = false;
  await asked;
  t.equal(granted, true);
});

void t.test('stopped, it grants nothing', async (t) => {
  const turns = new ComparisonTurns(
    () => true,
    () => 0,
  );
  const waiting = [turns.next(1), turns.next(300_000)];
  turns.stop();
  t.strictSame(await Promise.all([...waiting, turns.next(1)]), [false, false, false]);
});

void t.test('a loop that was blocked is late until it has been in time once', async (t) => {
  const clock = { ms: 0 };
  const lag = new LoopLag(() => clock.ms);
  t.teardown(() => lag.stop());
  t.equal(lag.lagging, false, 'nothing is known yet');
  clock.ms = 60;
  t.equal(lag.lagging, false, '40 ms late');
  clock.ms = 71;
  t.equal(lag.lagging, true, 'over 50 ms late, and its timer did not even run');
  lag.stop();
  t.equal(lag.lagging, false, 'asked anew, it begins anew');
});
