/** Property 1, its part that needs no user: the audit tells one story, and its end. */
import type { Change, History, StageAndRamp, Violation } from './history.ts';
import { named } from './named.ts';
import { inOrder } from './owners.ts';

export function checkChanges(history: History): readonly Violation[] {
  const { changes, cohorts } = history;
  const violations: Violation[] = [];
  const report = (change: Change, what: string): void =>
    void violations.push({ property: 1, text: `${named(change)} ${what}` });
  for (const change of changes) {
    if (change.outcome === 'open') report(change, `has not ended: ${change.note}`);
    if (change.outcome === 'done' && change.epoch === null) report(change, 'is done at no epoch');
  }
  const done = inOrder(changes);
  // Of users they may: each is in force since its users were announced, and that by the time of its epoch.
  const definitions = done.filter(({ kind }) => kind === 'cohort');
  for (const [index, change] of definitions.entries()) {
    if (index > 0 && change.epoch === definitions[index - 1]?.epoch)
      report(change, 'shares its epoch with another');
  }
  for (const cohort of cohorts) {
    let standing: StageAndRamp = cohort;
    for (const change of done) {
      if (change.kind !== 'cohort' || change.cohort !== cohort.name) continue;
      if (!isSame(change.from, standing)) report(change, `does not follow ${said(standing)}`);
      standing = change.to;
    }
  }
  return violations;
}

function isSame(a: StageAndRamp, b: StageAndRamp): boolean {
  return a.stage === b.stage && a.ramp === b.ramp;
}

function said({ stage, ramp }: StageAndRamp): string {
  return `${stage} ${ramp}`;
}
