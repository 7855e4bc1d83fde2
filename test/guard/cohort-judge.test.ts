/** Which judgements a look makes, and which of them it acts on. */
import t from 'tap';
import { CohortJudge } from '../../src/guard/cohort-judge.ts';
import type { Condition, GuardAction, Judgement } from '../../src/guard/condition.ts';
import type { TripRow } from '../../src/guard/guard-store.ts';
import type { TripPath } from '../../src/guard/trip.ts';
import type { Judged } from '../../src/guard/trip-maker.ts';
import { changeCohort } from '../storage/change-contract.ts';
import { CONDITION, FIGURES, newTrip } from '../storage/guard-contract.ts';

const ABSOLUTE: Condition = { ...CONDITION, name: 'absolute' };
const BOTH: Condition = { ...CONDITION, name: 'both', overLegacy: 2 };
const RELATIVE: Condition = { ...CONDITION, name: 'relative', over: undefined, overLegacy: 2 };

function openTrip(cohort: string, action: GuardAction): TripRow {
  const { firstBadMs: _first, ...trip } = newTrip(cohort, { action });
  const dates = { firstBadAt: undefined, inForceAt: undefined, clearedAt: undefined, notifiedAt: undefined };
  return { ...trip, ...dates, trippedAt: new Date(0), change: undefined, clearedBy: undefined, attempt: 0 };
}

function judging(path: TripPath | undefined, trips: readonly TripRow[] = []) {
  const acted: Judged[] = [];
  const era = { number: 1, tracked: true };
  const judge = new CohortJudge({
    judge: (conditions) =>
      conditions.map((condition): Judgement => {
        const verdict = path === undefined ? 'healthy' : 'tripped';
        return { condition, verdict, path, figures: FIGURES };
      }),
    conditions: () => [ABSOLUTE, BOTH, RELATIVE],
    book: { slots: () => [] },
    record: {
      cohorts: ['free', 'staff'].map((name) => ({
        cohort: changeCohort(name, { stage: 'live', era }),
        since: '1',
        sinceMs: undefined,
        leftMs: undefined,
      })),
      tripsOf: (name) => trips.filter(({ cohort }) => cohort === name),
    },
    maker: { act: (judged) => void acted.push(judged) },
  });
  /** Cohort and condition of each judgement that was acted on. */
  const actedOn = (): string[] =>
    acted
      .splice(0)
      .flatMap(({ cohort, judgements }) => judgements.map((one) => `${cohort.name} ${one.condition.name}`));
  return { judge, actedOn };
}

void t.test('a tick judges every cohort by every condition', (t) => {
  for (const path of ['windows', 'overwhelming'] as const) {
    const { judge, actedOn } = judging(path);
    judge.tick(1_000);
    t.same(
      actedOn(),
      ['absolute', 'both', 'relative']
        .map((name) => `free ${name}`)
        .concat(['absolute', 'both', 'relative'].map((name) => `staff ${name}`)),
    );
    t.same([...judge.judged.keys()], ['free', 'staff']);
  }
  t.end();
});

void t.test('a look between ticks trips only where there is bad news, and by what any look may', (t) => {
  const { judge, actedOn } = judging('overwhelming');
  judge.early(new Set(['staff']), 1_000);
  t.same(actedOn(), ['staff absolute', 'staff both'], 'a threshold that is made of legacy’s figures waits');
  t.equal(judge.judged.size, 0, 'what is shown and gates ramps is of ticks');
  t.end();
});

void t.test('a look between ticks never trips by windows', (t) => {
  const { judge, actedOn } = judging('windows');
  judge.early(new Set(['free', 'staff']), 1_000);
  t.same(actedOn(), []);
  t.end();
});

void t.test('a look between ticks leaves a cohort alone that goes back already', (t) => {
  const { judge, actedOn } = judging('overwhelming', [
    openTrip('free', 'rollback'),
    openTrip('staff', 'warn'),
  ]);
  judge.early(new Set(['free', 'staff']), 1_000);
  t.same(actedOn(), ['staff absolute', 'staff both']);
  t.end();
});
