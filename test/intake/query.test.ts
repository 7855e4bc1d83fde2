import fc from 'fast-check';
import t from 'tap';
import { queryValue, readQuery } from '../../src/intake/query.ts';

void t.test('a parameter is read as backends read forms', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['u=1', '1'],
    ['a=b&u=1&c', '1'],
    ['u=a+b%2Bc', 'a b+c'],
    ['u=caf%C3%A9', 'café'],
    ['%75=1', '1'],
    ['u', ''],
    ['u=', ''],
    ['u=a=b', 'a=b'],
    ['uu=1', undefined],
    ['U=1', undefined],
    ['', undefined],
    ['&&&', undefined],
    ['a=u=1', undefined],
    ['u=%', undefined],
    ['%=1&u=2', '2'],
    ['u=1&u=1', '1'],
    ['u=1&u=2', undefined],
    ['u=1&u', undefined],
    ['u?=1', undefined],
  ];
  for (const [query, value] of cases) t.equal(queryValue(query, 'u'), value, query);
});

void t.test('what is wrong with a parameter is told apart', async (t) => {
  t.match(readQuery('u=%zz', 'u'), { kind: 'malformed' });
  t.match(readQuery('u=%ff', 'u'), { kind: 'malformed' });
  t.match(readQuery('u=1&u=%ff', 'u'), { kind: 'malformed' });
  t.match(readQuery('u=1&u=2', 'u'), { kind: 'conflicting' });
  t.match(readQuery('v=1', 'u'), { kind: 'absent' });
});

void t.test('it agrees with the platform on well-formed queries, and never throws', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 5 });
  const name = fc.constantFrom('u', 'é', 'u+', 'a b');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, text), { maxLength: 4 }), name, (pairs, asked) => {
      const params = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value]));
      const all = params.getAll(asked);
      const expected = new Set(all).size === 1 ? all[0] : undefined;
      return queryValue(params.toString(), asked) === expected;
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (query) => typeof readQuery(query, 'u').kind === 'string'),
  );
});
