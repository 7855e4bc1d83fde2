import t from 'tap';
import {
  addressOf,
  filtersOf,
  JUDGEMENTS,
  listPath,
  SORTS,
  STATUSES,
  toggled,
} from '../../src/console/evidence/group-query.ts';
import { GROUP_SORTS } from '../../src/reports/group-list.ts';
import { GROUP_STATUSES } from '../../src/reports/report-store.ts';
import { JUDGEMENTS as JUDGED } from '../../src/reports/statistics.ts';

const of = (query: string) => filtersOf(new URLSearchParams(query));

await t.test('the words are those of the API', (t) => {
  t.strictSame([...STATUSES].sort(), [...GROUP_STATUSES].sort());
  t.strictSame([...JUDGEMENTS].sort(), [...JUDGED].sort());
  t.strictSame(SORTS.map(({ sort }) => sort).sort(), [...GROUP_SORTS].sort());
  t.end();
});

await t.test('an address without filters shows what somebody has to look after', (t) => {
  t.strictSame(of(''), {
    statuses: ['open', 'acknowledged'],
    judgements: ['reported', 'unproven'],
    route: undefined,
    cohort: undefined,
    sort: 'importance',
  });
  t.strictSame(new Set(Object.values(addressOf(of('')))), new Set([undefined]));
  t.equal(
    listPath(of(''), 50),
    '/api/v1/mismatches?sort=importance&limit=50&status=open%2Cacknowledged&judgement=reported%2Cunproven',
  );
  t.end();
});

await t.test('filters survive the way through the address', (t) => {
  const filters = of('status=ignored&judgement=all&route=GET+%2Fapi&cohort=&sort=users');
  t.strictSame(addressOf(filters), {
    status: 'ignored',
    judgement: 'all',
    route: 'GET /api',
    cohort: '',
    sort: 'users',
  });
  t.match(listPath(filters, 20, 'abc'), /judgement=all&route=GET\+%2Fapi&cohort=&cursor=abc$/);
  t.end();
});

await t.test('words that mean nothing are passed over', (t) => {
  t.strictSame(of('status=<script>,open&sort=drop+table').statuses, ['open']);
  t.equal(of('sort=constructor').sort, 'importance');
  t.strictSame(of('status=nonsense').statuses, ['open', 'acknowledged']);
  t.end();
});

await t.test('every status is asked for by naming none', (t) => {
  const all = { ...of(''), statuses: STATUSES };
  t.equal(addressOf(all).status, 'all');
  t.notMatch(listPath(all, 50), /status=/);
  t.end();
});

await t.test('a filter is switched, and the last one stays', (t) => {
  t.strictSame(toggled(['open'], 'ignored'), ['open', 'ignored']);
  t.strictSame(toggled(['open', 'ignored'], 'open'), ['ignored']);
  t.strictSame(toggled(['open'], 'open'), ['open']);
  t.end();
});
