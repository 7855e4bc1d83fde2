/** Reports of gateways, made at random within what a gateway can tell. */
import fc from 'fast-check';
import { BINS_MAX, type Counts, FAILURE_KINDS, USER_GROUPS } from '../../src/guard/slot.ts';
import type { GatewayReport, SideReport } from '../../src/guard/slot-feed.ts';

const small = fc.integer({ min: 0, max: 5 });
const large = fc.integer({ min: 1, max: 100_000 });

export const anyCounts: fc.Arbitrary<Counts> = fc
  .record({
    latency: fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: BINS_MAX - 1 }), large), {
      selector: ([bin]) => bin,
      maxLength: 30,
    }),
    failed: small,
    stalled: small,
    late: small,
    compared: small,
    mismatched: small,
  })
  .map(({ latency, failed, late, stalled, compared, mismatched }) => {
    const requests = latency.reduce((sum, [, count]) => sum + count, 0);
    return {
      stalled,
      requests,
      failed: Math.min(failed, requests),
      late: Math.min(late, requests),
      compared,
      mismatched: Math.min(mismatched, compared),
      latency: new Map(latency.toSorted(([a], [b]) => a - b)),
    };
  });

const anySide: fc.Arbitrary<SideReport> = fc.record(
  {
    byGroup: fc
      .uniqueArray(fc.tuple(fc.integer({ min: 0, max: USER_GROUPS - 1 }), anyCounts), {
        selector: ([group]) => group,
        maxLength: USER_GROUPS,
      })
      .map((groups) => new Map(groups.toSorted(([a], [b]) => a - b))),
    kinds: fc
      .uniqueArray(fc.tuple(fc.constantFrom(...FAILURE_KINDS), large), { selector: ([kind]) => kind })
      .map((kinds) => Object.fromEntries(kinds)),
  },
  { noNullPrototype: true },
);

export function anyReport(gateways: readonly string[]): fc.Arbitrary<GatewayReport> {
  return fc.record(
    {
      gateway: fc.constantFrom(...gateways),
      cohorts: fc
        .uniqueArray(
          fc.tuple(
            fc.constantFrom('free', 'staff', 'a cohort with é'),
            fc.oneof(
              anySide.map((legacy) => ({ legacy })),
              anySide.map((side) => ({ new: side })),
              fc.tuple(anySide, anySide).map(([legacy, side]) => ({ legacy, new: side })),
            ),
          ),
          { selector: ([name]) => name },
        )
        .map((cohorts) => new Map(cohorts)),
    },
    { noNullPrototype: true },
  );
}
