/** Redis comes back empty in the middle of a change. */
import t from 'tap';
import { outageWorld } from './outage-world.ts';
import { strikeChanges } from './struck-changes.ts';

await t.test(
  'Redis wiped in each phase of a change: finished or undone, and nobody stays held',
  async (t) => {
    await strikeChanges(t, await outageWorld(t), {
      away: ({ redis }) => redis.kill(),
      // Nothing was ever saved.
      back: ({ redis }) => redis.start(),
      losesMap: true,
    });
  },
);
