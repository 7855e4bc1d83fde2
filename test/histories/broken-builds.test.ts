/**
 * Gateways with one part broken, each on a schedule on which that has to show. A checker that finds nothing there would
 * find nothing anywhere.
 */
import t from 'tap';
import { FAULTS, type Fault } from './gateways.ts';
import { runSchedules } from './schedules.ts';

/** The properties of which at least one is violated. */
const NOTICED: { readonly [F in Fault]: readonly number[] } = {
  'no-drain': [2],
  'no-fence': [2, 3],
  'put-back': [3],
  'not-sticky': [1, 3],
};

for (const fault of FAULTS) {
  void t.test(`a gateway with the fault ${fault} is noticed`, async (t) => {
    const { violations } = await runSchedules(t, [fault], fault);
    t.comment(`${violations.length} violations; ${violations[0]?.text}`);
    t.ok(
      violations.some(({ property }) => NOTICED[fault].includes(property)),
      `the properties ${NOTICED[fault].join(' or ')} are violated`,
    );
  });
}
