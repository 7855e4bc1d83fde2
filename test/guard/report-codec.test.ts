import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ByteReader, ByteWriter } from '../../src/guard/bytes.ts';
import { decodeReport, encodeReport } from '../../src/guard/report-codec.ts';
import { anyReport } from './any-report.ts';

void t.test('a report is read as it was written', async () => {
  fc.assert(
    fc.property(anyReport(['one', 'two']), (report) =>
      isDeepStrictEqual(decodeReport(encodeReport(report)), report),
    ),
  );
});

void t.test('numbers of every size are read as they were written', async () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.string(), (number, text) => {
      const from = new ByteReader(new ByteWriter().number(number).text(text).done());
      return from.number() === number && from.text() === text.toWellFormed() && from.isAtEnd;
    }),
  );
});

void t.test('what was cut, changed or written by another version is refused, not believed', async (t) => {
  fc.assert(
    fc.property(anyReport(['one']), fc.nat(), (report, at) => {
      const bytes = encodeReport(report);
      try {
        decodeReport(bytes.subarray(0, at % bytes.length));
      } catch (error) {
        return error instanceof TypeError;
      }
      return false;
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeReport(bytes);
      } catch (error) {
        return error instanceof TypeError;
      }
      return true;
    }),
  );
  const later = encodeReport({ gateway: 'one', cohorts: new Map() });
  later[0] = 2;
  t.throws(() => decodeReport(later), /version 2/u);
  t.throws(() => decodeReport(Buffer.concat([encodeReport({ gateway: 'a', cohorts: new Map() }), later])));
});
