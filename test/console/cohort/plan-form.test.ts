import t from 'tap';
import { PLAN_FIELDS, readPlan } from '../../../src/console/cohort/plan-form.ts';

void t.test('what is filled in becomes a plan as the API takes it', async (t) => {
  const { plan, problems } = readPlan({
    ...PLAN_FIELDS,
    steps: '100, 1000, 10 %,100%',
    bakeMinutes: '0.5',
    mismatchPercentMax: '0.1',
  });
  t.equal(problems, undefined);
  t.same(plan, {
    steps: [
      { ramp: 100, bakeMs: 30_000 },
      { ramp: 1000, bakeMs: 30_000 },
      { ramp: '10%', bakeMs: 30_000 },
      { ramp: '100%', bakeMs: 30_000 },
    ],
    gates: { guard: 'healthy', mismatchShareMax: 0.001, comparedMin: 1_000 },
    automatic: false,
  });
});

void t.test('what is left empty is no gate', async (t) => {
  const { plan } = readPlan({ ...PLAN_FIELDS, mismatchPercentMax: '', comparedMin: ' ', guard: 'any' });
  t.same(plan?.gates, { guard: 'any' });
});

void t.test('all problems are told at once, each with its field', async (t) => {
  const { plan, problems } = readPlan({
    ...PLAN_FIELDS,
    steps: '10%, 5%',
    bakeMinutes: 'soon',
    mismatchPercentMax: '101',
    comparedMin: '1.5',
  });
  t.equal(plan, undefined);
  t.same(Object.keys(problems ?? {}).sort(), ['bakeMinutes', 'comparedMin', 'mismatchPercentMax', 'steps']);
});

void t.test('steps only grow, numbers before shares', async (t) => {
  for (const steps of ['', '10%, 10%', '10%, 1000', '1000, 1000', '10%, some', '101%']) {
    t.ok(readPlan({ ...PLAN_FIELDS, steps }).problems?.steps, `"${steps}" is refused`);
  }
  t.ok(readPlan({ ...PLAN_FIELDS, steps: '10%' }).plan);
});
