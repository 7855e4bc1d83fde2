import fc from 'fast-check';
import t from 'tap';
import { changedQuery, hashOf, parseHash } from '../../src/console/route.ts';

void t.test('the empty hash is the overview', async (t) => {
  for (const hash of ['', '#', '#/']) t.same(parseHash(hash).path, []);
});

void t.test('any path and query comes back as it was written', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), fc.string({ minLength: 1, unit: 'grapheme' })),
      (path, query) => {
        const route = parseHash(hashOf(path, query));
        t.same(route.path, path);
        t.same(Object.fromEntries(route.query), { ...query });
      },
    ),
  );
});

void t.test('what cannot be decoded stays as it was written', async (t) => {
  t.same(parseHash('#/users/%E0%A4%A').path, ['users', '%E0%A4%A']);
});

void t.test('an empty value is taken out of the query, the others stay', async (t) => {
  const query = changedQuery(new URLSearchParams('status=open&sort=weight'), { status: '', sort: 'users' });
  t.equal(query.toString(), 'sort=users');
});
