import t from 'tap';
import { TokenClaims } from '../../src/intake/claims.ts';

const claims = new TokenClaims(
  JSON.parse(`{
    "plan": "paid", "level": 3, "share": 0.5, "staff": true, "nothing": null,
    "roles": ["admin", "editor"], "realm": { "plan": "free", "a.b": "inner", "deep": { "x": "y" } },
    "https://example.com/plan": "gold", "https://example": { "com/plan": "wrong" },
    "__proto__": "own", "id": 42, "huge": 9007199254740993, "half": 1.5, "empty": ""
  }`),
);

void t.test('scalars are text; what is no scalar is absent', async (t) => {
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['plan', 'paid'],
    ['level', '3'],
    ['share', '0.5'],
    ['staff', 'true'],
    ['empty', ''],
    ['nothing', undefined],
    ['roles', undefined],
    ['realm', undefined],
    ['absent', undefined],
  ];
  for (const [name, value] of expected) t.equal(claims.get(name), value, name);
});

void t.test('dots lead into objects and arrays; a name with dots of its own comes first', async (t) => {
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['realm.plan', 'free'],
    ['realm.deep.x', 'y'],
    ['realm.a.b', 'inner'],
    ['roles.1', 'editor'],
    ['roles.2', undefined],
    ['https://example.com/plan', 'gold'],
    ['plan.x', undefined],
    ['realm.', undefined],
    ['.plan', undefined],
  ];
  for (const [name, value] of expected) t.equal(claims.get(name), value, name);
});

void t.test('what every object inherits is no claim', async (t) => {
  for (const name of ['constructor', 'toString', 'constructor.name', 'realm.constructor.name', '']) {
    t.equal(claims.get(name), undefined, name);
  }
  t.equal(claims.get('__proto__'), 'own');
});

void t.test('a user is a string or a whole number that is exact', async (t) => {
  t.equal(claims.user('plan'), 'paid');
  t.equal(claims.user('id'), '42');
  t.equal(claims.user('realm.plan'), 'free');
  t.equal(claims.user('absent'), undefined);
  for (const name of ['huge', 'half', 'staff', 'nothing', 'roles', 'realm']) {
    t.equal(claims.user(name), null, name);
  }
});
