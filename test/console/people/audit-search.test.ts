import t from 'tap';
import { auditSearch, KINDS } from '../../../src/console/people/audit-search.ts';
import { CHANGE_KINDS } from '../../../src/cutover/change.ts';

void t.test('every kind of change can be looked for', async (t) => {
  t.same([...KINDS].sort(), [...CHANGE_KINDS].sort());
});

void t.test('filters that are empty or unknown are left out of the question', async (t) => {
  const search = auditSearch(new URLSearchParams('cohort=%20staff&user=&kind=pin&open=true&odd=1'));
  t.equal(search.toString(), 'limit=50&cohort=staff&kind=pin&open=true');
  const odd = auditSearch(new URLSearchParams('kind=flip&open=maybe&user=u-1'));
  t.equal(odd.toString(), 'limit=50&user=u-1', 'an address that somebody typed');
});
