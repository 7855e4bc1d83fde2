import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { Lease } from '../cutover/stores.ts';

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const LeaseJson = Type.Object({
  gateway: Type.String(),
  counter: Count,
  applied: Count,
  drained: Count,
  // Absent in what an older version wrote, as is what follows here as optional.
  settled: Type.Optional(Count),
  digest: Type.String(),
  undrained: Type.Optional(
    Type.Array(
      Type.Object({
        subject: Type.String(),
        writes: Count,
        unsettled: Type.Optional(Count),
        routes: Type.Array(Type.String()),
      }),
    ),
  ),
});

export function leaseJson({ gateway, counter, applied, drained, settled, digest, undrained }: Lease): string {
  return JSON.stringify({ gateway, counter, applied, drained, settled, digest, undrained });
}

/** @throws TypeError for what is no lease */
export function parseLease(json: string): Lease {
  const value: unknown = JSON.parse(json);
  if (!Value.Check(LeaseJson, value)) throw new TypeError('a lease of the state map is not valid');
  const { gateway, counter, applied, drained, settled = drained, digest, undrained } = value;
  return {
    gateway,
    counter,
    applied,
    drained,
    settled,
    digest,
    ...(undrained === undefined ? {} : { undrained }),
  };
}
