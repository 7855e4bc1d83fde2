/** Which cohorts of a configuration come into being beside those that there are. Pure. */
import type { Cohort } from '../model.ts';
import { nextEra } from './era.ts';
import { judgeCohorts } from './judge-cohorts.ts';
import { attributeCohorts } from './owners.ts';

/**
 * `deleted`: somebody has deleted it, and a gateway that starts must not bring it back. `moves-truth`: users without a
 * membership would fall into it and come to the other backend, with nobody held. `change-open`: a change of
 * cohorts that attributes lead to is under way, and was judged without it.
 */
export type SeedObstacle = 'deleted' | 'moves-truth' | 'change-open';

export interface NotSeeded {
  readonly cohort: string;
  readonly why: SeedObstacle;
}

export interface JudgedSeeds {
  readonly create: readonly Cohort[];
  readonly notSeeded: readonly NotSeeded[];
}

/**
 * A gateway that starts holds nobody and asks no other one, so it may add only what moves no truth. With no cohort there,
 * none deleted and no gateway registered, nobody is served yet: then it may add all.
 *
 * @param existing in the order of their rules
 * @param deleted names
 * @param wanted of the configuration, those that exist included
 * @param claimed cohorts that open changes have a claim on
 * @param isServing a gateway is registered, which serves users without a cohort too
 */
export function judgeSeeds(
  existing: readonly Cohort[],
  deleted: ReadonlySet<string>,
  wanted: readonly Cohort[],
  claimed: ReadonlySet<string>,
  isServing: boolean,
): JudgedSeeds {
  const isFirst = existing.length === 0 && deleted.size === 0 && !isServing;
  const cohorts = [...existing];
  const create: Cohort[] = [];
  const notSeeded: NotSeeded[] = [];
  for (const seed of wanted) {
    if (cohorts.some(({ name }) => name === seed.name)) continue;
    const cohort = { ...seed, era: nextEra(undefined, seed) };
    const after = [...cohorts, cohort];
    const why = isFirst ? undefined : obstacle(cohorts, after, cohort, deleted, claimed);
    if (why !== undefined) {
      notSeeded.push({ cohort: cohort.name, why });
      continue;
    }
    cohorts.push(cohort);
    create.push(cohort);
  }
  return { create, notSeeded };
}

function obstacle(
  before: readonly Cohort[],
  after: readonly Cohort[],
  cohort: Cohort,
  deleted: ReadonlySet<string>,
  claimed: ReadonlySet<string>,
): SeedObstacle | undefined {
  if (deleted.has(cohort.name)) return 'deleted';
  if (!attributeCohorts(after).includes(cohort)) return undefined;
  if (judgeCohorts(before, after).movesTruth) return 'moves-truth';
  return attributeCohorts(before).some(({ name }) => claimed.has(name)) ? 'change-open' : undefined;
}
