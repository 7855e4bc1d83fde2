import type { Test } from 'tap';
import type { Fault } from './gateways.ts';
import { runSchedules } from './schedules.ts';

/** How often the schedule is run at most: on a machine with much else to do, its moments may all be missed. */
const RUNS_MAX = 3;

/**
 * A gateway with one part broken has to be found out on the schedule that is made for it. A checker that finds nothing
 * there would find nothing anywhere.
 *
 * @param properties of which at least one is violated
 */
export function faultIsNoticed(t: Test, fault: Fault, properties: readonly number[]): void {
  void t.test(`a gateway with the fault ${fault} is noticed`, async (t) => {
    let isNoticed = false;
    for (let run = 1; run <= RUNS_MAX && !isNoticed; run += 1) {
      const { violations } = await runSchedules(t, [fault], fault);
      t.comment(`run ${run}: ${violations.length} violations; ${violations[0]?.text}`);
      isNoticed = violations.some(({ property }) => properties.includes(property));
    }
    t.ok(isNoticed, `the properties ${properties.join(' or ')} are violated`);
  });
}
