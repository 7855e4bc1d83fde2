import type { Test } from 'tap';
import type { Fault } from './gateways.ts';
import { runSchedules } from './schedules.ts';

/**
 * A gateway with one part broken has to be found out on the schedule that is made for it. A checker that finds nothing
 * there would find nothing anywhere.
 *
 * @param properties of which at least one is violated
 */
export function faultIsNoticed(t: Test, fault: Fault, properties: readonly number[]): void {
  void t.test(`a gateway with the fault ${fault} is noticed`, async (t) => {
    const { violations } = await runSchedules(t, [fault], fault);
    t.comment(`${violations.length} violations; ${violations[0]?.text}`);
    t.ok(
      violations.some(({ property }) => properties.includes(property)),
      `the properties ${properties.join(' or ')} are violated`,
    );
  });
}
