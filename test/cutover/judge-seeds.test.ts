import t from 'tap';
import { judgeSeeds } from '../../src/cutover/judge-seeds.ts';
import type { Cohort, Rule } from '../../src/model.ts';
import { changeCohort } from '../storage/change-contract.ts';

const RULE: Rule = { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['beta'] };
const NONE: ReadonlySet<string> = new Set();
const everyone = changeCohort('everyone', { stage: 'off', isDefault: true });

function beta(over: Partial<Cohort> = {}): Cohort {
  return changeCohort('beta', { rule: RULE, ...over });
}

function judged(
  existing: readonly Cohort[],
  wanted: readonly Cohort[],
  deleted = NONE,
  claimed = NONE,
  isServing = false,
) {
  const { create, notSeeded } = judgeSeeds(existing, deleted, wanted, claimed, isServing);
  return { create: create.map(({ name }) => name), notSeeded };
}

await t.test('where there are no cohorts yet all are created, wherever they lead', async (t) => {
  const live = beta({ stage: 'live' });
  t.same(judged([], [everyone, live]), { create: ['everyone', 'beta'], notSeeded: [] });
  t.same(judgeSeeds([], NONE, [live], NONE, false).create[0]?.era, { number: 1, tracked: true });
});

await t.test('a gateway that serves everybody from legacy for want of cohorts counts', async (t) => {
  const wanted = [{ ...everyone, stage: 'live' as const }, changeCohort('listed', { stage: 'live' })];
  t.same(judged([], wanted, NONE, NONE, true), {
    create: ['listed'],
    notSeeded: [{ cohort: 'everyone', why: 'moves-truth' }],
  });
  t.same(judged([], [everyone], NONE, NONE, true), { create: ['everyone'], notSeeded: [] });
});

await t.test('beside others one that takes users to the other backend is not', async (t) => {
  const refused = { create: [], notSeeded: [{ cohort: 'beta', why: 'moves-truth' }] };
  t.same(judged([everyone], [everyone, beta({ stage: 'live' })]), refused);
  t.same(judged([{ ...everyone, stage: 'complete' }], [beta({ stage: 'shadow' })]), refused, 'either way');
  t.same(judged([changeCohort('listed')], [beta({ stage: 'live' })]), refused, 'also users of no cohort');
  t.same(judged([], [beta({ stage: 'live' })], new Set(['everyone'])), refused, 'nor where all were deleted');
});

await t.test('one that moves nobody is', async (t) => {
  t.same(judged([everyone], [beta({ stage: 'shadow' })]), { create: ['beta'], notSeeded: [] });
  const listed = changeCohort('listed', { stage: 'live' });
  t.same(judged([everyone], [listed]), { create: ['listed'], notSeeded: [] }, 'nobody is led there');
  t.same(judged([everyone, beta()], [beta({ stage: 'live' })]), { create: [], notSeeded: [] }, 'it exists');
});

await t.test('what was deleted stays so', async (t) => {
  t.same(judged([everyone], [beta({ stage: 'off' })], new Set(['beta'])), {
    create: [],
    notSeeded: [{ cohort: 'beta', why: 'deleted' }],
  });
});

await t.test('a change that is under way was judged without it', async (t) => {
  const wanted = [beta({ stage: 'off' }), changeCohort('listed')];
  const existing = [everyone, changeCohort('other')];
  t.same(judged(existing, wanted, NONE, new Set(['everyone'])), {
    create: ['listed'],
    notSeeded: [{ cohort: 'beta', why: 'change-open' }],
  });
  t.same(judged(existing, wanted, NONE, new Set(['other'])), { create: ['beta', 'listed'], notSeeded: [] });
});
