/** Redis goes away in the middle of a change, and comes back with what it had. */
import t from 'tap';
import { outageWorld } from './outage-world.ts';
import { strikeChanges } from './struck-changes.ts';

await t.test('Redis restarted in each phase of a change: it goes on in the same map', async (t) => {
  await strikeChanges(t, await outageWorld(t), {
    away: async ({ redis }) => {
      await redis.client.save();
      await redis.kill();
    },
    back: ({ redis }) => redis.start(),
    losesMap: false,
  });
});
