/** Postgres goes away in the middle of a change, and comes back. */
import t from 'tap';
import { outageWorld } from './outage-world.ts';
import { strikeChanges } from './struck-changes.ts';

await t.test('Postgres restarted in each phase of a change: it goes on where the record says', async (t) => {
  await strikeChanges(t, await outageWorld(t), {
    away: ({ postgres }) => postgres.kill(),
    back: ({ postgres }) => postgres.start(),
    losesMap: false,
  });
});
