/**
 * A short run of what `npm run test:histories` does for as long as one likes: three gateways, clients that never stop,
 * cohorts that flip both ways, and whatever can go wrong.
 */
import t from 'tap';
import { runHistory } from './run-history.ts';

const FOR_MS = 20_000;

void t.test('no acknowledged write is lost or goes astray, whatever fails', async (t) => {
  // Another one each day, so that the suite sees more than one; printed, so that it can be had again.
  const seed = Math.floor(Date.now() / 86_400_000);
  t.comment(`seed ${seed}: npm run test:histories -- --seed ${seed}`);
  const { violations, counts, summary } = await runHistory(t, { seed, forMs: FOR_MS });
  for (const line of summary) t.comment(line);
  t.same(violations, []);
  t.ok(counts.acknowledged > 100, 'clients wrote');
  t.ok(counts.reads > 100, 'and read');
  t.ok(counts.done > 2 && counts.moves > 0, 'and users were moved meanwhile');
});
