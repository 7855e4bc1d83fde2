import type { Change } from './history.ts';

/** The change in the words of a report. */
export function named(change: Change): string {
  const when = `${change.requestedMs.toFixed(1)} to ${change.overMs.toFixed(1)} ms`;
  return `change ${change.id} (${described(change)}, ${when})`;
}

function described(change: Change): string {
  switch (change.kind) {
    case 'pin':
      return `pin of ${change.user} to ${change.to ?? 'nothing'}`;
    case 'members':
      return `${change.action} ${change.users.length} users, ${change.cohort}`;
    case 'cohort': {
      const rule = change.plans === undefined ? '' : ` for ${change.plans.join(' and ')}`;
      return `${change.cohort} to ${change.to.stage} ${change.to.ramp}${rule}`;
    }
    default:
      return change satisfies never;
  }
}
