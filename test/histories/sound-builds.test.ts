/** Gateways as they are, on every schedule that is made to show a fault. */
import t from 'tap';
import { ALL_SCHEDULES, runSchedules } from './schedules.ts';

void t.test('a sound build does nothing wrong on any of the schedules', async (t) => {
  const { violations, counts } = await runSchedules(t, ALL_SCHEDULES);
  t.same(violations, []);
  t.comment(JSON.stringify(counts));
  t.ok(counts.done >= 6 && counts.moves > 0, 'and users were moved');
});
