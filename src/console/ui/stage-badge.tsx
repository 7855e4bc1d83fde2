import type { Stage } from '../../model.ts';
import { STAGE_LOOKS } from './stage.ts';

/** A stage's name in its colour; what it means when it is pointed at. */
export function StageBadge({ stage }: { readonly stage: Stage }) {
  const { label, className, meaning } = STAGE_LOOKS[stage];
  return (
    <span class={`badge ${className}`} title={meaning}>
      {label}
    </span>
  );
}
