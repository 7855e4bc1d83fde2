import fc from 'fast-check';
import t from 'tap';
import { ABSENT_RECORD, type UserRecord } from '../../src/model.ts';
import { cohortNumbers } from '../../src/state/cohort-numbers.ts';
import {
  decodeRecord,
  encodeRecord,
  RecordCodecError,
  UnknownCohortError,
} from '../../src/state/record-codec.ts';
import type { Versioned } from '../../src/state/versioned.ts';
import { cohort } from './state-map-contract.ts';

const NAMES = ['a', 'b', 'c'];
const cohorts = cohortNumbers(
  [1, 200, 2 ** 31 - 1].map((number, index) => ({
    number,
    position: index,
    cohort: cohort(NAMES[index] ?? ''),
    deleted: false,
  })),
);

const newId = fc.oneof(
  fc.uuid(),
  fc.uuid().map((uuid) => uuid.toUpperCase()),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 256),
);
const versioned: fc.Arbitrary<Versioned> = fc
  .record({
    record: fc.record<UserRecord>({
      state: fc.constantFrom(undefined, 'migrating', 'migrated', 'failed'),
      pin: fc.constantFrom(undefined, 'legacy', 'new'),
      membership: fc.option(
        fc.oneof(
          fc.record({
            cohort: fc.constantFrom(...NAMES),
            ordinal: fc.constant(undefined),
            by: fc.constantFrom('explicit', 'rule'),
          }),
          fc.record({
            cohort: fc.constantFrom(...NAMES),
            ordinal: fc.maxSafeNat(),
            by: fc.constant('explicit'),
          }),
        ),
        { nil: undefined },
      ),
      newId: fc.option(newId, { nil: undefined }),
    }),
    version: fc.maxSafeNat(),
  })
  // Plain objects: the library makes some without a prototype.
  .map((value): Versioned => structuredClone(value));

await t.test('every record is read back as it was written, in one way only', async (t) => {
  fc.assert(
    fc.property(versioned, (value) => {
      const bytes = encodeRecord(value, cohorts);
      t.strictSame(decodeRecord(bytes, cohorts), value);
      t.ok(encodeRecord(decodeRecord(bytes, cohorts), cohorts).equals(bytes));
    }),
    { numRuns: 300 },
  );
});

await t.test('bytes that are not exactly one record are an error, never an absent user', async (t) => {
  fc.assert(
    fc.property(versioned, fc.nat(), (value, cut) => {
      const bytes = encodeRecord(value, cohorts);
      t.throws(() => decodeRecord(bytes.subarray(0, cut % bytes.length), cohorts), RecordCodecError);
      t.throws(() => decodeRecord(Buffer.concat([bytes, Buffer.of(0)]), cohorts), RecordCodecError);
    }),
    { numRuns: 100 },
  );
});

await t.test('whatever the bytes, they are a record that encodes to them or an error', async (t) => {
  const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([1, ...bytes]));
  fc.assert(
    fc.property(noise, (bytes) => {
      try {
        t.ok(encodeRecord(decodeRecord(bytes, cohorts), cohorts).equals(bytes));
      } catch (error) {
        t.ok(error instanceof RecordCodecError, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});

await t.test('particular bytes', async (t) => {
  const refused: [string, Buffer][] = [
    ['no bytes', Buffer.of()],
    ['a later format', Buffer.of(3, 0)],
    ['a placement that is none', Buffer.of(2, 0)],
    ['a pin that does not exist', Buffer.of(1, 0b1100)],
    [
      'a number that does not end',
      Buffer.of(1, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    ],
    ['a number with zeros in front', Buffer.of(1, 0x80, 0x81, 0x00)],
    ['a version of zero', Buffer.of(1, 0x80, 0)],
    ['a new id that is not UTF-8', Buffer.of(1, 0x40, 2, 0xc3, 0x28)],
  ];
  for (const [what, bytes] of refused) t.throws(() => decodeRecord(bytes, cohorts), RecordCodecError, what);
  t.throws(() => decodeRecord(Buffer.of(1, 0x20, 7), cohorts), UnknownCohortError, 'a cohort without a name');
  t.throws(
    () =>
      encodeRecord(
        {
          record: { ...ABSENT_RECORD, membership: { cohort: 'x', ordinal: undefined, by: 'rule' } },
          version: 0,
        },
        cohorts,
      ),
    RangeError,
  );
  const placed = { ...ABSENT_RECORD, membership: { cohort: 'a', ordinal: undefined, by: 'rule' as const } };
  t.equal(encodeRecord({ record: placed, version: 0 }, cohorts).length, 3, 'a placed user has three bytes');
  t.equal(decodeRecord(Buffer.of(1, 0), cohorts).record, ABSENT_RECORD);
});

await t.test('users who were only placed share one record, others do not', async (t) => {
  const placed = Buffer.from(encodeRecord({ record: byRule('a'), version: 0 }, cohorts));
  t.equal(decodeRecord(placed, cohorts), decodeRecord(Buffer.from(placed), cohorts));
  const elsewhere = encodeRecord({ record: byRule('b'), version: 0 }, cohorts);
  t.equal(decodeRecord(elsewhere, cohorts).record.membership?.cohort, 'b');
  const written = encodeRecord({ record: byRule('a'), version: 1 }, cohorts);
  t.equal(decodeRecord(written, cohorts).version, 1);
  t.not(decodeRecord(written, cohorts), decodeRecord(written, cohorts));
});

await t.test('another numbering of the cohorts reads the same bytes anew', async (t) => {
  const placed = encodeRecord({ record: byRule('a'), version: 0 }, cohorts);
  decodeRecord(placed, cohorts);
  const renamed = cohortNumbers([{ number: 1, position: 0, cohort: cohort('z'), deleted: false }]);
  t.equal(decodeRecord(placed, renamed).record.membership?.cohort, 'z');
});

function byRule(name: string): UserRecord {
  return { ...ABSENT_RECORD, membership: { cohort: name, ordinal: undefined, by: 'rule' } };
}
