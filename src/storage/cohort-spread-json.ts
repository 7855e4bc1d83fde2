import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { CohortSpread } from '../reports/report-store.ts';
import type { Row } from './sql.ts';

const Spread = Type.Record(
  Type.String(),
  Type.Object({ raw: Type.Integer(), confirmed: Type.Integer(), noise: Type.Integer() }),
);

/** @throws TypeError for anything else */
export function cohortSpread(row: Row, column: string): CohortSpread {
  const value = row[column];
  if (!Value.Check(Spread, value)) throw new TypeError(`column ${column}: expected counts by cohort`);
  return value;
}
