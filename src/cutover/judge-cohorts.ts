/** What a change of definitions moves, holds and claims. Pure. */
import type { Cohort } from '../model.ts';
import { goesOn, mayGoBack, movesTruth, needsEveryGateway, ownedByNew } from './moves-truth.ts';
import { attributeCohorts, defaultOf } from './owners.ts';

export interface CohortJudgement {
  readonly movesTruth: boolean;
  readonly needsEveryGateway: boolean;
  /** Somebody may go from `new` to `legacy`, from one of these cohorts. */
  readonly goingBack: readonly Cohort[];
  /** Somebody may come to `new` in one of these cohorts, or they go further on their way there. */
  readonly goingOn: readonly string[];
  readonly held: readonly string[];
  readonly own: readonly string[];
  /** It would move the truth of users of no cohort, and those cannot be held. */
  readonly unheld: boolean;
}

const NOBODY = 'nobody';
const EVERYBODY = 'everybody';

function ownedBy(cohort: Cohort | undefined): string {
  return cohort === undefined ? NOBODY : ownedByNew(cohort);
}

function rulesOf(cohorts: readonly Cohort[]): string {
  return JSON.stringify(cohorts.flatMap(({ name, rule }) => (rule === undefined ? [] : [[name, rule]])));
}

/** Whether a user without a membership may come to another owner because it falls into another cohort. */
function fallsElsewhere(before: readonly Cohort[], after: readonly Cohort[]): boolean {
  const [from, to] = [defaultOf(before), defaultOf(after)];
  // Only the default is another: exactly those whom no rule matches fall from the one to the other.
  if (rulesOf(before) === rulesOf(after)) return from?.name !== to?.name && ownedBy(from) !== ownedBy(to);
  const all = new Set([...attributeCohorts(before), ...attributeCohorts(after)].map(ownedByNew));
  if (from === undefined || to === undefined) all.add(NOBODY);
  // Whoever is on a ramp in one of two cohorts need not be in the other.
  return all.size > 1 || !(all.has(NOBODY) || all.has(EVERYBODY));
}

function isUnfenced({ stage }: Cohort): boolean {
  return stage === 'off' || stage === 'complete';
}

interface Moving {
  readonly from: Cohort;
  readonly to: Cohort;
}

/**
 * Whether a gateway that lost the map may go on serving users whom this moves. It refuses writes by the cohort that the
 * attributes of a request lead to, and those of a user without a membership may lead to another cohort than the one that
 * moves, in `off` or `complete`. Where two cohorts have different owners for everybody nobody is served without a
 * membership, and a gateway that lost the map cannot give one.
 */
function servesThemUnfenced(moving: readonly Moving[], before: readonly Cohort[]): boolean {
  const led = attributeCohorts(before);
  const noDefault = defaultOf(before) === undefined;
  const owned = new Set(led.map(ownedByNew));
  if (!noDefault && owned.has(NOBODY) && owned.has(EVERYBODY)) return false;
  const inComplete = led.filter(({ stage }) => stage === 'complete');
  const byNew = inComplete.length > 0;
  const byLegacy =
    noDefault ||
    led.some(({ stage }) => stage === 'off') ||
    inComplete.some(({ migration }) => migration === 'per-user');
  return moving.some(
    ({ from, to }) =>
      led.includes(from) && ((byLegacy && mayGoBack(to, from)) || (byNew && mayGoBack(from, to))),
  );
}

/** @param before @param after all cohorts, in the order of their rules */
export function judgeCohorts(before: readonly Cohort[], after: readonly Cohort[]): CohortJudgement {
  const known = new Map(before.map((each) => [each.name, each]));
  const next = new Map(after.map((each) => [each.name, each]));
  const both = after.flatMap((to) => {
    const from = known.get(to.name);
    return from === undefined ? [] : [{ from, to }];
  });
  const changed = [
    ...after.filter((to) => JSON.stringify(known.get(to.name)) !== JSON.stringify(to)),
    ...before.filter(({ name }) => !next.has(name)),
  ].map(({ name }) => name);
  const moving = both.filter(({ from, to }) => movesTruth(from, to));
  const [rulesBefore, rulesAfter] = [attributeCohorts(before), attributeCohorts(after)];
  const isPlacedAnew =
    rulesOf(before) !== rulesOf(after) || defaultOf(before)?.name !== defaultOf(after)?.name;
  const attributes = isPlacedAnew ? [...rulesBefore, ...rulesAfter].map(({ name }) => name) : [];
  const falls = isPlacedAnew && fallsElsewhere(before, after);
  const held = new Set([...moving.map(({ to }) => to.name), ...(falls ? attributes : [])]);
  const isReordered = both.map(({ from }) => from.name).join('\n') !== inOrder(before, next);
  const mine = [...changed, ...attributes, ...(isReordered ? [...known.keys()] : [])];
  const noDefault = defaultOf(before) === undefined || defaultOf(after) === undefined;
  const everyGateway =
    both.some(({ from, to }) => needsEveryGateway(from, to)) ||
    servesThemUnfenced(moving, before) ||
    (isPlacedAnew && (defaultOf(before) === undefined || rulesBefore.some(isUnfenced)));
  const goingBack = moving.filter(({ from, to }) => mayGoBack(from, to)).map(({ from }) => from);
  const fallingBack =
    falls && [...rulesAfter.map(ownedByNew), ...(noDefault ? [NOBODY] : [])].some((all) => all !== EVERYBODY)
      ? rulesBefore.filter((each) => ownedByNew(each) !== NOBODY)
      : [];
  const goingOn = both.filter(({ from, to }) => goesOn(from, to)).map(({ to }) => to.name);
  // Whoever falls elsewhere may come to any of these.
  const fallingOn = falls ? rulesAfter.filter((each) => ownedByNew(each) !== NOBODY) : [];
  return {
    goingOn: [...new Set([...goingOn, ...fallingOn.map(({ name }) => name)])],
    movesTruth: held.size > 0,
    needsEveryGateway: everyGateway,
    goingBack: [...new Set([...goingBack, ...fallingBack])],
    held: [...held],
    own: [...new Set(mine)].filter((name) => !held.has(name)),
    unheld: falls && noDefault,
  };
}

function inOrder(before: readonly Cohort[], next: ReadonlyMap<string, Cohort>): string {
  return before
    .filter(({ name }) => next.has(name))
    .map(({ name }) => name)
    .join('\n');
}
