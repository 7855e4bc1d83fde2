import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { Lease } from '../cutover/stores.ts';

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const LeaseJson = Type.Object({
  gateway: Type.String(),
  counter: Count,
  applied: Count,
  drained: Count,
  digest: Type.String(),
});

export function leaseJson({ gateway, counter, applied, drained, digest }: Lease): string {
  return JSON.stringify({ gateway, counter, applied, drained, digest });
}

/** @throws TypeError for what is no lease */
export function parseLease(json: string): Lease {
  const value: unknown = JSON.parse(json);
  if (!Value.Check(LeaseJson, value)) throw new TypeError('a lease of the state map is not valid');
  const { gateway, counter, applied, drained, digest } = value;
  return { gateway, counter, applied, drained, digest };
}
