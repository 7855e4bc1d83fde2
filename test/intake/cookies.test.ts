import fc from 'fast-check';
import t from 'tap';
import { cookieValue } from '../../src/intake/cookies.ts';

void t.test('the first cookie of the name counts', async (t) => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['uid=1', '1'],
    ['a=b; uid=1; uid=2', '1'],
    ['a=b;uid=1', '1'],
    ['  uid=1  ', '1'],
    ['uid = 1', '1'],
    ['\tuid=1', '1'],
    ['uid=a=b', 'a=b'],
    ['uid=', ''],
    ['uid=""', ''],
    ['uid="a b"; x=y', 'a b'],
    ['uid="', '"'],
    ['uid=%41', '%41'],
    ['xuid=1', undefined],
    ['uidx=1', undefined],
    ['UID=1', undefined],
    ['uid', undefined],
    ['uid;=1', undefined],
    ['uid ; x=1', undefined],
    ['', undefined],
    [';;; ;', undefined],
    ['a=uid=1', undefined],
    ['a="x; uid=1"', '1"'],
    ['x=1; uid', undefined],
  ];
  for (const [header, value] of cases) t.equal(cookieValue(header, 'uid'), value, JSON.stringify(header));
});

void t.test('it agrees with a reading that takes the whole header apart, and never throws', async () => {
  const piece = fc.constantFrom('uid', 'u', '=', ';', ' ', '"', 'x', '\t', 'é');
  const naive = (header: string): string | undefined => {
    for (const pair of header.split(';')) {
      const at = pair.indexOf('=');
      const blanks = /^[ \t]+|[ \t]+$/g;
      if (at < 0 || pair.slice(0, at).replace(blanks, '') !== 'uid') continue;
      const value = pair.slice(at + 1).replace(blanks, '');
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    return undefined;
  };
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
      (header) => cookieValue(header, 'uid') === naive(header),
    ),
    { numRuns: 5_000 },
  );
});
