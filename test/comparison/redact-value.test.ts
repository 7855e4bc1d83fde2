import t from 'tap';
import type { Difference } from '../../src/comparison/difference.ts';
import {
  DEFAULT_REDACTED_NAMES,
  type RedactionPolicy,
  redactShown,
  redactValue,
} from '../../src/comparison/redact-value.ts';
import { signatureOf, weightOf } from '../../src/comparison/signature.ts';
import { answer, compared, texts } from './answers.ts';

const policy: RedactionPolicy = { key: 'k', names: DEFAULT_REDACTED_NAMES };

void t.test('values under names that look secret or personal are type, length and hash', async (t) => {
  const paths = [
    '$.password',
    '$.users[3].e-mail',
    "$['Home Phone'].x",
    '$.iban',
    '$.dateOfBirth',
    '$.access_token[0]',
    'header.set-cookie',
  ];
  for (const path of [
    ...paths,
    '$.user.address.line2',
    '$.firstName',
    '$.cardNumber',
    'header.authorization',
    '$.ssn',
  ]) {
    t.match(redactValue('anna', path, policy), { redacted: 'string', length: 4, hash: /^[\w-]{16}$/ }, path);
  }
  for (const path of [
    '$.price',
    '$.items[0].sku',
    '$.filename',
    '$.compass.heading',
    'header.etag',
    'body',
  ]) {
    t.equal(redactValue('anna', path, policy), 'anna', path);
  }
});

void t.test('equal and unequal can still be told, and only with the key can values be tried', async (t) => {
  const [one, same, other] = ['a', 'a', 'b'].map((value) => redactValue(value, '$.email', policy));
  t.same(one, same);
  t.notSame(one, other);
  t.notSame(one, redactValue('a', '$.email', { ...policy, key: 'k2' }));
  t.notSame(redactValue('1', '$.pin', policy), redactValue(1, '$.pin', policy));
  t.notMatch(JSON.stringify(one), /"a"/);
});

void t.test('members inside of a value are redacted by their own names', async (t) => {
  const value = { id: 1, email: 'a@b.c', nested: [{ phone: '1', n: null }], __proto: 1 };
  t.match(redactValue(value, '$.user', policy), {
    id: 1,
    email: { redacted: 'string' },
    nested: [{ phone: { length: 1 }, n: null }],
  });
  const plain = { id: 1 };
  t.same(redactValue(plain, '$.user', policy), plain);
  t.match(redactValue(plain, '$.price', { ...policy, everything: true }), { redacted: 'object', length: 1 });
  t.match(redactValue('x', '$.own', { ...policy, names: [/^own$/] }), { redacted: 'string' });
});

void t.test('a side of a difference keeps its type', async (t) => {
  const { differences } = texts('{"email":"a"}', '{"email":null}');
  const [difference] = differences;
  t.match(difference && redactShown(difference.left, difference.path, policy), {
    type: 'string',
    value: { length: 1 },
  });
  t.same(redactShown({ type: 'absent', value: undefined }, '$.email', policy), {
    type: 'absent',
    value: undefined,
  });
});

function differenceOf(left: string, right: string): Difference {
  const [difference] = texts(left, right).differences;
  if (difference === undefined) throw new Error('no difference');
  return difference;
}

void t.test(
  'differences of one kind at one kind of place have one signature, which holds no value',
  async (t) => {
    const of = (left: string, right: string): string => signatureOf('/api/*', differenceOf(left, right));
    t.equal(of('[{"a":1}]', '[{"a":2}]'), of('[0,{"a":5}]', '[0,{"a":7}]'));
    t.not(of('[{"a":1}]', '[{"a":2}]'), of('[{"a":1}]', '[{"a":"2"}]'));
    t.equal(of('{"a":"secret"}', '{"a":1}'), '["/api/*","type","$.a",["string","number"]]');
    const status = (right: number): string =>
      compared(answer(''), answer('', { status: right }))
        .differences.map((one) => signatureOf('r', one))
        .join();
    t.not(status(404), status(500));
  },
);

void t.test('what breaks a reader weighs more than what nobody reads', async (t) => {
  const missing = weightOf(differenceOf('{"a":1}', '{}'));
  t.ok(missing > weightOf(differenceOf('{}', '{"a":1}')));
  const [status] = compared(answer(''), answer('', { status: 500 })).differences;
  t.ok(status !== undefined && weightOf(status) > missing);
});
