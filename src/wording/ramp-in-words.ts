/** A plan of a ramp, and how far a run of it is, in words. */
import type { PlanDocument, RampRunDocument } from '../admin/ramp-documents.ts';
import { durationInWords } from './duration-in-words.ts';
import { printable, rampFormInWords } from './printable.ts';

/** `100 users, 1,000 users, 10 %, 100 %` */
export function stepsInWords({ steps }: Pick<PlanDocument, 'steps'>): string {
  return steps.map(({ ramp }) => rampFormInWords(ramp)).join(', ');
}

/** `the guard says healthy, at least 1,000 reads compared` */
export function gatesInWords({ gates }: Pick<PlanDocument, 'gates'>): string {
  const { guard, mismatchShareMax, comparedMin, mirrorBacklogMax } = gates;
  const words = [
    guard === 'healthy' ? 'the guard says healthy' : '',
    guard === 'not-tripped' ? 'the guard did not trip' : '',
    mismatchShareMax === null ? '' : `surely at most ${mismatchShareMax * 100} % of reads mismatch`,
    comparedMin === null ? '' : `at least ${comparedMin.toLocaleString('en')} reads compared`,
    mirrorBacklogMax === null ? '' : `at most ${mirrorBacklogMax.toLocaleString('en')} writes wait`,
  ].filter((word) => word !== '');
  return words.length === 0 ? 'none' : words.join(', ');
}

const STATUS: Readonly<Record<RampRunDocument['status'], string>> = {
  baking: 'is in force, and its time is not over',
  gated: 'is in force; its time is over, and a gate is not met',
  waiting: 'is in force; a person has to approve the next one',
  stepping: 'is in force; the next one is on its way',
  paused: 'is in force; paused',
  done: 'was the last one: done',
  aborted: 'was in force when it was aborted',
};

/** `step 2 of 4 (1,000 users) is in force; a person has to approve the next one: NOTE` */
export function runInWords({ plan, step, status, note }: RampRunDocument): string {
  const at = plan.steps[step];
  const why = note === null ? '' : `: ${printable(note)}`;
  if (at === undefined) return `before its first step, ${status}${why}`;
  return `step ${step + 1} of ${plan.steps.length} (${rampFormInWords(at.ramp)}) ${STATUS[status]}${why}`;
}

/** One row for each step: its number, its size, how long it stays, where the run is. */
export function stepRows({ plan, step, status, stepAt }: RampRunDocument, nowMs: number): string[][] {
  return plan.steps.map(({ ramp, bakeMs }, index) => {
    const row = [String(index + 1), rampFormInWords(ramp), durationInWords(bakeMs)];
    if (index < step) return [...row, 'passed'];
    if (index > step) return [...row, ''];
    if (status === 'done') return [...row, 'done'];
    const leftMs = stepAt === null ? 0 : Date.parse(stepAt) + bakeMs - nowMs;
    const left = status === 'baking' && leftMs > 0 ? `, ${durationInWords(leftMs)} left` : '';
    return [...row, `here${left}`];
  });
}
