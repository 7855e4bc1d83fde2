import type { Logger } from 'pino';
import type { NotSeeded, SeedObstacle } from '../cutover/judge-seeds.ts';

const WHY: { readonly [O in SeedObstacle]: string } = {
  deleted: 'was deleted; a start does not bring it back. Take it out of the file, or make it again with',
  'moves-truth': 'would take users to the other backend, and a start holds nobody. Make it with',
  'change-open': 'has to wait for a change that is under way. Start again when that is over, or make it with',
};

/** Says which cohorts of the configuration do not exist, and what to do. */
export function logNotSeeded(log: Logger, notSeeded: readonly NotSeeded[]): void {
  for (const { cohort, why } of notSeeded) {
    log.warn(
      { event: 'cohort_not_seeded', cohort, why },
      `cohort ${cohort} of the configuration ${WHY[why]} \`turnout cohort create ${cohort}\``,
    );
  }
}
