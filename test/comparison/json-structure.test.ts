import t from 'tap';
import { answer, compared, outline, outlineOf, texts } from './answers.ts';

void t.test('white space and the order of members say nothing', async (t) => {
  t.same(outlineOf('{"a":1,"b":[1,{"c":null}]}', '{ "b" : [ 1, { "c" : null } ],\n"a": 1 }'), ['matched']);
});

void t.test('each kind of difference has its path, its pattern and both values', async (t) => {
  const left = '{"id":1,"name":"a","items":[{"sku":"x","n":1},{"sku":"y"}],"gone":{"deep":[1]},"flag":true}';
  const right = '{"id":"1","name":"b","items":[{"sku":"x","n":2},{"sku":"y","more":0}],"flag":null,"new":[]}';
  t.same(outlineOf(left, right), [
    'mismatched',
    'type $.id 1 > "1"',
    'value $.name "a" > "b"',
    'value $.items[0].n 1 > 2',
    'extra $.items[1].more - > 0',
    'missing $.gone {"deep":[1]} > -',
    'type $.flag true > null',
    'extra $.new - > []',
  ]);
  const { differences } = texts(left, right);
  t.same(differences[2]?.pattern, '$.items[].n');
  t.ok(Object.isFrozen(differences[2]) && Object.isFrozen(differences[2]?.left));
});

void t.test('an item put in front is one difference, not one for each item behind it', async (t) => {
  t.same(outlineOf('[1,2,3,4]', '[0,1,2,3,4]'), ['mismatched', 'extra $[0] - > 0']);
  t.same(outlineOf('[1,2,3,4]', '[1,2,4]'), ['mismatched', 'missing $[2] 3 > -']);
});

void t.test('the same items in another order are one difference of that kind', async (t) => {
  t.same(outlineOf('{"a":[1,2,3]}', '{"a":[3,2,1]}'), ['mismatched', 'order $.a [1,2,3] > [3,2,1]']);
  t.same(outlineOf('[1,2]', '[2,2]'), ['mismatched', 'value $[0] 1 > 2']);
});

void t.test('keys of maps fold into one pattern, names of fields do not', async (t) => {
  const patternOf = (key: string): string | undefined =>
    texts(JSON.stringify({ [key]: { a: 1 } }), JSON.stringify({ [key]: { a: 2 } })).differences[0]?.pattern;
  for (const key of [
    '1',
    '2026-01-31',
    '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
    'usr_8Xk2aa81',
    'SKU-0017',
    'a@b.c',
    'da39a3ee5e6b4b0d',
  ]) {
    t.equal(patternOf(key), '$.{}.a'.replace('.{}', '{}'), key);
  }
  for (const key of ['address2', 'sha256', 'iso8601', 'userName', 'odd name', 'x-id', 'facade', 'en']) {
    t.match(patternOf(key), /^\$(\.|\[').*\.a$/, key);
  }
  const many = (last: number): string =>
    JSON.stringify(Object.fromEntries(Array.from('abcdefghijklmn').map((name) => [name, { size: last }])));
  t.equal(texts(many(1), many(2)).differences[3]?.pattern, '${}.size', 'many members of one shape');
});

void t.test('names that a member may have and an object has already', async (t) => {
  t.same(outlineOf('{"__proto__":{}}', '{"x":1}'), [
    'mismatched',
    'missing $.__proto__ {} > -',
    'extra $.x - > 1',
  ]);
  t.same(outlineOf('{"a":{"__proto__":1}}', '{ "a":{"__proto__":1}}'), ['matched']);
  t.same(outlineOf('{"toString":1}', '{"constructor":1}')[0], 'mismatched');
  t.same(outlineOf('{"hasOwnProperty":{}}', '{}'), ['mismatched', 'missing $.hasOwnProperty {} > -']);
});

void t.test('a key that appears twice is found, and the last value counts', async (t) => {
  t.same(outlineOf('{"a":1,"a":2}', '{"a":2}'), ['mismatched', 'duplicate-key $.a [1,2] > [2]']);
  t.same(outlineOf('{"x":[{"a":1,"a":2}]}', '{"x":[{"a":1}]}'), [
    'mismatched',
    'duplicate-key $.x[0].a [1,2] > [1]',
    'value $.x[0].a 2 > 1',
  ]);
  t.same(outlineOf('{"a":1,"a":2}', '{"a" : 1, "a" : 2}'), ['matched']);
  t.same(outlineOf('{"a":1,"a":2}', '{"a":2}', { ignore: ['$.a'] }), ['ignored, ignore $.a']);
  t.same(
    outlineOf('{"\\"b\\":":1, "a" :1,"a":2}', '{"\\"b\\":":1,"a":2}')[1],
    'duplicate-key $.a [1,2] > [2]',
  );
});

void t.test('colons and quotes inside of texts are no keys', async (t) => {
  const value = JSON.stringify({ a: '":', b: ':":"', c: '\\":', d: ' :', e: '\\\\":' });
  t.same(outlineOf(value, value.replaceAll(',', ' , ')), ['matched']);
});

void t.test('texts compare by their characters, however they are written', async (t) => {
  t.same(outlineOf('{"a":"\\u00e9"}', '{"a":"é"}'), ['matched']);
  t.same(
    outlineOf('{"a":"e\\u0301"}', '{"a":"é"}')[0],
    'mismatched',
    'the same letter of other code points is another',
  );
  t.same(outlineOf('\ufeff{"a":1}', '{"a":1 }'), ['matched'], 'a byte order mark');
});

void t.test('bytes that are no UTF-8 are never equal by accident', async (t) => {
  const wrong = (byte: number): Buffer => Buffer.from([0x22, byte, 0x22]);
  t.equal(compared(answer(wrong(0xff)), answer(wrong(0xfe))).verdict, 'mismatched');
  t.same(outline(compared(answer('["\ufffd"]'), answer('["\ufffd" ]'))), ['matched']);
});

void t.test('what is no JSON', async (t) => {
  t.same(outlineOf('{"a":1}', '{"a":1'), ['mismatched', 'invalid-json body "JSON" > "{\\"a\\":1"']);
  t.same(outlineOf('{a:1', '{a:2')[1], 'text body[1] "{a:1" > "{a:2"');
});

void t.test('beyond its bounds a comparison stops, and says so', async (t) => {
  const nested = (depth: number, leaf: string): string => `${'['.repeat(depth)}${leaf}${']'.repeat(depth)}`;
  t.same(outlineOf(nested(5000, '1'), nested(5000, '2')), ['uncompared, too-deep']);
  t.same(outlineOf(nested(200, '1'), nested(200, '2'))[1], `value $${'[0]'.repeat(200)} 1 > 2`);

  const numbers = (count: number, step: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, i) => i * step));
  const many = texts(numbers(500, 2), numbers(500, 3));
  t.equal(many.differences.length, 100);
  t.equal(many.truncated, true);
  t.equal(many.verdict, 'mismatched');

  const little = compared(answer(numbers(500, 1)), answer(numbers(501, 1)), { limits: { workMax: 100 } });
  t.same(outline(little), ['uncompared, too-much-work']);
});

void t.test('large values are cut in the difference, and are copies', async (t) => {
  const { differences } = texts(JSON.stringify({ a: 'x'.repeat(5000), b: Array(5000).fill(1) }), '{}');
  t.equal(JSON.stringify(differences[0]?.left.value).length, 1027);
  t.ok(JSON.stringify(differences[1]?.left.value).length < 400);
});

void t.test('a body of one byte or two compares wherever it begins in memory', async (t) => {
  const text = ' [] [1] 1 2 {} ';
  for (let offset = 0; offset < 8; offset += 1) {
    const padded = Buffer.from(new ArrayBuffer(64), offset);
    padded.write(text);
    for (const body of ['[]', '1', '{}']) {
      const at = padded.indexOf(body);
      const left = { ...answer(''), body: padded.subarray(at, at + body.length) };
      t.not(compared(left, answer(' [3] ')).verdict, 'matched', `${body} at ${padded.byteOffset + at}`);
      t.equal(compared(left, answer(` ${body} `)).verdict, 'matched', `${body} at ${padded.byteOffset + at}`);
    }
  }
});
