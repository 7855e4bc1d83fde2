import t from 'tap';
import { type GroupFilter, pageOfGroups } from '../../src/reports/group-list.ts';
import { judgeGroup } from '../../src/reports/judged-group.ts';
import { row } from './report-world.ts';

const GROUPS = [
  row('frequent', { raw: 900, lastSeen: 5 }),
  row('rare', { raw: 100, lastSeen: 9 }),
  row('severe', { raw: 600, weight: 100, lastSeen: 7 }),
  row('noisy', { raw: 1_000, noise: 100 }),
  row('unproven', { raw: 2, confirmed: 2, noiseReads: 0 }),
  row('resolved', { status: 'resolved' }),
  row('transient', { confirmed: 0 }),
].map(judgeGroup);

const FILTER: GroupFilter = { statuses: [], judgements: [], sort: 'importance', limit: 100 };

function ids(over: Partial<GroupFilter>): readonly string[] {
  return pageOfGroups(GROUPS, { ...FILTER, ...over }).groups.map(({ id }) => id);
}

await t.test('what is reported comes first, by weight and how often for sure; noise on demand', (t) => {
  t.strictSame(ids({}), ['severe', 'frequent', 'rare', 'resolved', 'unproven']);
  t.strictSame(ids({ statuses: ['open'] }), ['severe', 'frequent', 'rare', 'unproven']);
  t.strictSame(ids({ judgements: ['noise', 'unconfirmed'] }), ['transient', 'noisy']);
  t.strictSame(ids({ sort: 'last_seen', statuses: ['open'] }).slice(1), ['rare', 'severe', 'frequent']);
  t.equal(ids({ sort: 'weight' })[0], 'severe');
  t.strictSame(ids({ sort: 'share', statuses: ['open'] }), ['frequent', 'severe', 'rare', 'unproven']);
  t.strictSame(ids({ sort: 'reads', statuses: ['open'] }), ['frequent', 'severe', 'rare', 'unproven']);
  t.strictSame(pageOfGroups(GROUPS, FILTER).judged, { reported: 4, unproven: 1, unconfirmed: 1, noise: 1 });
  t.end();
});

await t.test('pages give every group once, and a page after nothing is refused', (t) => {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = pageOfGroups(GROUPS, { ...FILTER, limit: 2, ...(after === undefined ? {} : { after }) });
    seen.push(...page.groups.map(({ id }) => id));
    t.equal(page.total, 5);
    if (!page.hasMore) break;
    after = page.groups.at(-1)?.id;
  }
  t.strictSame(seen, ids({}));
  t.throws(() => pageOfGroups(GROUPS, { ...FILTER, after: 'noisy' }), RangeError);
  t.end();
});
