import fc from 'fast-check';
import t from 'tap';
import { parseExactly } from '../../src/comparison/parse-exactly.ts';
import { isFaithful, measure, parseQuickly } from '../../src/comparison/parse-json.ts';
import { type Hazards, scanHazards } from '../../src/comparison/scan-hazards.ts';

/** The same by regular expressions, over a text of one character for each byte. */
function hazardsOf(bytes: Uint8Array): Hazards {
  const text = Buffer.from(bytes).toString('latin1');
  return {
    // biome-ignore format: one line for each
    keyMarks: text.match(/[\0-"]:/g)?.length ?? 0,
    hasLongDigits: /[./0-9]{16}/.test(text),
    hasNegativeExponent: /[./0-9][eE]-/.test(text),
  };
}

const piece = fc.oneof(
  fc.constantFrom(
    '":',
    ':',
    '"',
    ' :',
    '\n:',
    '!:',
    '#:',
    '::',
    'e-',
    '1e-',
    '9E-7',
    '.e-1',
    '-',
    'é',
    '\xba',
  ),
  fc.stringMatching(/^[0-9.]{1,20}$/),
  fc.stringMatching(/^[a-z]{0,20}$/),
);

void t.test('the scan finds what is there, wherever it begins and however long it is', async () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(17), fc.nat(17), (pieces, front, back) => {
      const all = Buffer.from(pieces.join(''), 'latin1');
      const bytes = all.subarray(front, Math.max(front, all.length - back));
      return JSON.stringify(scanHazards(bytes)) === JSON.stringify(hazardsOf(bytes));
    }),
    { numRuns: 5000 },
  );
});

void t.test('any bytes at all, and nothing of those before them', async () => {
  scanHazards(Buffer.from('":1234567890123456e-1'.repeat(100)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      return JSON.stringify(scanHazards(bytes)) === JSON.stringify(hazardsOf(bytes));
    }),
    { numRuns: 2000 },
  );
});

void t.test('what lies across the chunks of a long document is found once', async (t) => {
  for (const pattern of ['":', '1234567890123456', '123456789012345', '1e-', '":12345678901234567E-3']) {
    for (const border of [32_768, 65_536]) {
      for (let begin = border - 24; begin <= border + 2; begin += 1) {
        for (const behind of [0, 1, 15, 40_000]) {
          const bytes = Buffer.alloc(begin + pattern.length + behind, 'a');
          bytes.write(pattern, begin);
          const [found, expected] = [scanHazards(bytes), hazardsOf(bytes)];
          if (JSON.stringify(found) !== JSON.stringify(expected))
            t.same(found, expected, `${pattern} at ${begin}`);
        }
      }
    }
  }
});

const number = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1',
    '0.1',
    '1e400',
    '1e-400',
    '-1E-400',
    '9007199254740993',
    '1234567890.1234567',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.stringMatching(/^-?[1-9][0-9]{0,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?$/),
);
const key = fc.constantFrom(
  '"a"',
  '"b"',
  '"\\"b\\":"',
  '":"',
  '"a\\\\"',
  '"\\u0061"',
  '"__proto__"',
  '"é :"',
);
const space = fc.constantFrom('', '', '', ' ', '\n  ', '\t');
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.oneof(number, key, fc.constantFrom('null', 'true', '"12345678901234567890"', '"1e-4000"')),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join()}]`),
    fc
      .array(fc.tuple(key, space, space, tie('json')), { maxLength: 4 })
      .map(
        (members) =>
          `{${members.map(([name, one, other, value]) => `${name}${one}:${other}${value}`).join()}}`,
      ),
  ),
}));

void t.test('what passes for read without a loss is what the exact reading gives', async (t) => {
  let faithful = 0;
  let lossy = 0;
  fc.assert(
    fc.property(json, (text) => {
      const quick = parseQuickly(Buffer.from(text));
      const exact = parseExactly(text, 200);
      if (quick === undefined || exact === undefined) return false;
      if (!isFaithful(quick, measure(quick.root, 200))) {
        lossy += 1;
        return true;
      }
      faithful += 1;
      // Numbers that a double does not stand for are written by JSON.stringify as the text that they came in.
      return exact.duplicates.size === 0 && JSON.stringify(exact.root) === JSON.stringify(quick.root);
    }),
    { numRuns: 5000 },
  );
  t.ok(faithful > 500 && lossy > 500, `${faithful} faithful, ${lossy} not`);
});
