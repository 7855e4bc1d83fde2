/** A ramp in the bodies and the answers of the API. */
import { Type } from '@sinclair/typebox';
import { PERCENT, RAMP_COUNT_MAX } from './ramp-form.ts';

/** One schema of two types, so that a wrong value gives one problem and not two. */
export const RampFormSchema = Type.Unsafe<number | string>({
  type: ['integer', 'string'],
  minimum: 0,
  maximum: RAMP_COUNT_MAX,
  pattern: PERCENT,
  description: 'A share from 0% to 100% with at most two decimals, or a number of users.',
});

/** The same in an answer, where it need not be checked. */
export const RampAnswerSchema = Type.Union([Type.Integer(), Type.String()]);
