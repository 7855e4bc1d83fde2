/** What is worth looking at sooner than at the next tick. */
import type { GatewayReport } from './slot-feed.ts';

/**
 * At least so much of what is told has to be bad. A trip that takes seconds needs no haste, and a backend that fails a
 * little all the time must not have gateways tell more often all the time.
 */
const BAD_SHARE = 0.1;

/** The cohorts of which a report says that requests to `new` failed or stalled, and not only a few of them. */
export function badNewsOf({ cohorts }: Pick<GatewayReport, 'cohorts'>): readonly string[] {
  const named: string[] = [];
  for (const [cohort, sides] of cohorts) {
    let [bad, all] = [0, 0];
    for (const { requests, failed, stalled, late } of sides.new?.byGroup.values() ?? []) {
      bad += failed + stalled;
      // Those that are late were told of before.
      all += requests + stalled - late;
    }
    if (bad > 0 && bad >= BAD_SHARE * all) named.push(cohort);
  }
  return named;
}
