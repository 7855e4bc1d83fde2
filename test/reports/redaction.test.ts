import t from 'tap';
import { isRedacted, Redaction } from '../../src/reports/redaction.ts';

const KEY = Buffer.alloc(32, 3);
const NONE = { paths: [], names: [] };

function redacted(document: object, options: Partial<{ paths: string[]; names: string[] }> = {}): unknown {
  return new Redaction(KEY, { ...NONE, ...options }).document(JSON.parse(JSON.stringify(document)));
}

await t.test('values under names that are secret or personal become type, length and hash', (t) => {
  for (const name of [
    'password',
    'userPassword',
    'api_key',
    'apiKey',
    'access-token',
    'SESSION_ID',
    'email',
    'eMail',
    'e-mail',
    'customerEmail',
    'firstName',
    'lastname',
    'phoneNumber',
    'street',
    'IBAN',
    'dateOfBirth',
    'postal_code',
    'cardNumber',
    'ip',
    'clientIp',
    'Authorization',
    'secret',
    'csrfToken',
  ]) {
    const result = redacted({ [name]: 'some value' });
    t.match(result, { [name]: /^\[string 10 [0-9a-f]{12}\]$/ }, name);
  }
  t.strictSame(
    redacted({ price: 5, title: 'Lamp', sku: 'A-1', author: 'x', keyword: 'k', shipping: 1, pinned: true }),
    {
      price: 5,
      title: 'Lamp',
      sku: 'A-1',
      author: 'x',
      keyword: 'k',
      shipping: 1,
      pinned: true,
    },
  );
  t.end();
});

await t.test('types and lengths stay to be seen, null stays null, whole objects are hidden', (t) => {
  t.match(redacted({ pin: 1234, email: null, address: { street: 'x', city: 'y' }, phone: ['1', '2', '3'] }), {
    pin: /^\[number 4 /,
    email: null,
    address: /^\[object 2 /,
    phone: /^\[array 3 /,
  });
  t.end();
});

await t.test('configured paths and names are hidden too', (t) => {
  const options = { paths: ['$.items[*].note', '$..diagnosis'], names: ['Nickname'] };
  const result = redacted(
    { items: [{ note: 'a', sku: 1 }], deep: { diagnosis: 'flu' }, nickname: 'Z' },
    options,
  );
  t.match(result, {
    items: [{ note: /^\[string 1 /, sku: 1 }],
    deep: { diagnosis: /^\[string 3 / },
    nickname: /^\[string 1 /,
  });
  t.throws(() => new Redaction(KEY, { paths: ['no path'], names: [] }), RangeError);
  t.end();
});

await t.test('what looks like an address, a card or a token is hidden wherever it stands', (t) => {
  const found = JSON.stringify(
    redacted({
      a: 'write to ann.lee@example.com today',
      b: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
      c: 'Bearer abcdefgh12345',
      d: 'DE89 3704 0044 0532 0130 00',
      e: 4111111111111111,
      f: '4111 1111 1111 1111',
      'bob@example.org': 1,
    }),
  );
  for (const secret of ['ann.lee', 'eyJ', 'abcdefgh12345', '0532', '4111', 'bob@']) t.notMatch(found, secret);
  t.match(found, /write to \[string 19 [0-9a-f]{12}\] today/);
  t.strictSame(redacted({ at: 1_781_000_000_000, ns: '2026-11-21T12:00:00Z', id: 123456789012 }), {
    at: 1_781_000_000_000,
    ns: '2026-11-21T12:00:00Z',
    id: 123456789012,
  });
  t.end();
});

await t.test('equal values have equal hashes within a process, and another process has others', (t) => {
  const one = new Redaction(KEY, NONE);
  const other = new Redaction(Buffer.alloc(32, 4), NONE);
  t.equal(one.token('a'), one.token('a'));
  t.not(one.token('a'), one.token('b'));
  t.not(one.token('1'), one.token(1));
  t.equal(one.token({ a: 1, b: 2 }), one.token({ b: 2, a: 1 }));
  t.not(one.token('a'), other.token('a'));
  t.ok(isRedacted(one.token('a')));
  t.notOk(isRedacted('a'));
  t.end();
});

await t.test('what was redacted is not redacted again', (t) => {
  const redaction = new Redaction(KEY, NONE);
  const once = redaction.document({ email: 'a@b.example' });
  t.strictSame(redaction.document(once), once);
  t.end();
});
