import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import { Badge, type Tone } from './badge.tsx';

const LOOKS: Readonly<
  Record<CohortGuardDocument['phase'], { readonly tone: Tone; readonly meaning: string }>
> = {
  armed: { tone: 'good', meaning: 'The guard judges what new does, and goes back by itself.' },
  idle: { tone: 'calm', meaning: 'Nobody is served by new, so there is nothing to judge.' },
  tripped: { tone: 'bad', meaning: 'The cohort goes nowhere until somebody clears the trip.' },
  cooling: { tone: 'warn', meaning: 'It warned a moment ago, and does not repeat it yet.' },
};

/** What the guard does with a cohort, and which of its conditions are not well. */
export function GuardBadge({ guard: { phase, judgements } }: { readonly guard: CohortGuardDocument }) {
  const bad = judgements
    .filter(({ verdict }) => verdict === 'tripped')
    .map(({ condition }) => condition.name);
  const silent = judgements.length > 0 && judgements.every(({ verdict }) => verdict === 'no-data');
  const { tone, meaning } = LOOKS[phase];
  const isSilent = phase === 'armed' && silent;
  return (
    <Badge tone={isSilent ? 'calm' : bad.length > 0 ? 'bad' : tone} title={meaning}>
      guard {phase}
      {isSilent && ', no data'}
      {bad.length > 0 && `: ${bad.join(', ')}`}
    </Badge>
  );
}
