/** A user's record as JSON, as the audit keeps it. What is not set is left out. */
import { type Static, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ABSENT_RECORD, type UserRecord } from '../model.ts';

const RecordJson = Type.Object({
  state: Type.Optional(
    Type.Union([Type.Literal('migrating'), Type.Literal('migrated'), Type.Literal('failed')]),
  ),
  pin: Type.Optional(Type.Union([Type.Literal('legacy'), Type.Literal('new')])),
  membership: Type.Optional(
    Type.Object({
      cohort: Type.String(),
      ordinal: Type.Optional(Type.Integer({ minimum: 0 })),
      by: Type.Union([Type.Literal('explicit'), Type.Literal('rule')]),
    }),
  ),
  newId: Type.Optional(Type.String()),
});

/** @throws TypeError for what is no record */
export function parseRecord(json: unknown): UserRecord {
  if (!Value.Check(RecordJson, json)) throw new TypeError('a record of the audit is not valid');
  const { state, pin, membership, newId }: Static<typeof RecordJson> = json;
  return {
    ...ABSENT_RECORD,
    state,
    pin,
    membership: membership && { cohort: membership.cohort, ordinal: membership.ordinal, by: membership.by },
    newId,
  };
}

/**
 * An expression for the JSON of a row.
 *
 * @param row alias of a row with the columns of `users` that are in a record
 * @param cohort expression for the name of its cohort
 */
export function recordJson(row: string, cohort: string): string {
  return `jsonb_strip_nulls(jsonb_build_object('state', ${row}.state, 'pin', ${row}.pin, 'membership',
    CASE WHEN ${row}.cohort IS NOT NULL THEN jsonb_build_object(
      'cohort', ${cohort}, 'ordinal', ${row}.ordinal, 'by', ${row}.membership_by) END,
    'newId', ${row}.new_id))`;
}
