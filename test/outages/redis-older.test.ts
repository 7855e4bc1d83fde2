/** Redis comes back with a dump from before the change that it is in the middle of. */
import t from 'tap';
import { type OutageWorld, outageWorld, untilAnswered } from './outage-world.ts';
import { strikeChanges } from './struck-changes.ts';

async function dump({ redis }: OutageWorld): Promise<void> {
  await redis.client.bgsave();
  await untilAnswered('a dump', async () =>
    /rdb_bgsave_in_progress:0/.test(await redis.client.info('persistence')) ? true : undefined,
  );
}

await t.test('an older dump in each phase of a change: taken for lost, never believed', async (t) => {
  await strikeChanges(t, await outageWorld(t), {
    prepare: dump,
    away: ({ redis }) => redis.kill(),
    back: ({ redis }) => redis.start(),
    losesMap: true,
  });
});
