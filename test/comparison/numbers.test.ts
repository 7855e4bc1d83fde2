import fc from 'fast-check';
import t from 'tap';
import { isWithin, numberOf } from '../../src/comparison/exact-number.ts';
import { outlineOf } from './answers.ts';

/** Compared inside of a document, with the member order turned, so that the bytes always differ. */
function areEqual(left: string, right: string): boolean {
  return outlineOf(`{"k":"v","n":[${left}]}`, `{"n":[${right}],"k":"v"}`)[0] === 'matched';
}

void t.test('numbers are equal by their decimal value, however they are written', async (t) => {
  for (const [left, right] of [
    ['1', '1.0'],
    ['100', '1e2'],
    ['100', '1E+2'],
    ['-0', '0'],
    ['0', '0e400'],
    ['0', '-0.000e-999'],
    ['0.1', '1e-1'],
    ['12345678901234567890', '1234567890123456789e1'],
    ['12345678901234567890.0', '12345678901234567890'],
    ['1e400', '10e399'],
    ['1e-400', '0.1e-399'],
    ['0.30000000000000004', '30000000000000004e-17'],
    ['5e-324', '50e-325'],
  ] as const) {
    t.ok(areEqual(left, right), `${left} is ${right}`);
    t.ok(areEqual(right, left), `${right} is ${left}`);
  }
});

void t.test('numbers that one double stands for are still different', async (t) => {
  for (const [left, right] of [
    ['9007199254740993', '9007199254740992'],
    ['12345678901234567890', '12345678901234567891'],
    ['-12345678901234567890', '12345678901234567890'],
    ['0.1', '0.1000000000000000055511151231257827'],
    ['1', '1.00000000000000000000001'],
    ['1e400', '2e400'],
    ['1e400', '-1e400'],
    ['1e-400', '0'],
    ['1e-400', '1E-401'],
    ['1.2345e-320', '1.2346e-320'],
    ['1e308', '1e309'],
    ['1', '"1"'],
    ['9007199254740993', '"9007199254740993"'],
    ['9007199254740993', '{}'],
  ] as const) {
    t.notOk(areEqual(left, right), `${left} is not ${right}`);
    t.notOk(areEqual(right, left), `${right} is not ${left}`);
  }
});

void t.test('a large number is shown as it was written', async (t) => {
  t.same(
    outlineOf('{"n":9007199254740993}', '{"n":9007199254740992}')[1],
    'value $.n "9007199254740993" > 9007199254740992',
  );
});

/** Sign, whole, fraction, exponent: with runs of nines and zeros, where doubles are at their worst. */
const digits = fc.oneof(
  fc.stringMatching(/^[0-9]{1,25}$/),
  fc.constantFrom('0', '9'.repeat(16), '9007199254740993', `1${'0'.repeat(22)}`),
);
const literal = fc
  .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(fc.integer({ min: -420, max: 420 })))
  .map(([sign, whole, fraction, exponent]) => {
    const plain = whole.replace(/^0+(?=\d)/, '');
    return `${sign}${plain}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`;
  });

/** The value as a fraction of whole numbers: slow, and beyond doubt. */
function fraction(text: string): [bigint, bigint] {
  const [, mantissa = '', exponent = '0'] = /^(.*?)(?:e(.*))?$/.exec(text) ?? [];
  const [whole = '', part = ''] = mantissa.split('.');
  const power = Number(exponent) - part.length;
  const numerator = BigInt(`${whole}${part}`.replace('-', '')) * (text.startsWith('-') ? -1n : 1n);
  return power >= 0 ? [numerator * 10n ** BigInt(power), 1n] : [numerator, 10n ** BigInt(-power)];
}

void t.test('any two numbers are equal exactly when their decimal values are', async () => {
  const near = literal.chain((one) =>
    fc.tuple(
      fc.constant(one),
      fc.oneof(
        literal,
        fc.constant(Number.isFinite(Number(one)) ? String(Number(one)) : '0'),
        fc.constant(one.includes('e') || one.includes('.') ? one : `${one}.000`),
        fc.constant(one.includes('e') ? one : `${one}e0`),
      ),
    ),
  );
  fc.assert(
    fc.property(near, ([left, right]) => {
      const [a, b] = fraction(left);
      const [c, d] = fraction(right.replace('e+', 'e'));
      return areEqual(left, right) === (a * d === c * b);
    }),
    { numRuns: 2000 },
  );
});

void t.test('tolerances are exact: 0.30 and 0.31 are within 0.01 of each other', async (t) => {
  const near = (left: string, right: string, absolute: number, relative = 0): boolean =>
    isWithin(numberOf(left), numberOf(right), absolute, relative);
  t.ok(near('0.30', '0.31', 0.01));
  t.notOk(near('0.30', '0.3100000000000000000001', 0.01));
  t.notOk(near('9007199254740993', '9007199254740992', 0.5), 'not by the loss of a digit');
  t.ok(near('9007199254740993', '9007199254740992', 1));
  t.ok(near('100', '101', 0, 0.01));
  t.notOk(near('100', '101.02', 0, 0.01));
  t.ok(near('-100', '-101', 0, 0.01));
  t.notOk(near('-1', '1', 0.5, 1));
  t.ok(near('0', '-0', 0));
  t.notOk(near('1e400', '1', 1), 'too far apart to be written down');
});
