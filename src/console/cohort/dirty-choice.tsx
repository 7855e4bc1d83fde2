import { Select } from '../ui/select.tsx';
import type { DirtyPolicy } from './cohort-api.ts';

const MEANINGS: Readonly<Record<DirtyPolicy, string>> = {
  drain:
    'Wait until their writes are mirrored; whoever is still dirty then stays in new, pinned, and is listed.',
  keep: 'They stay in new, pinned, and are listed.',
  force: 'They go back too. Their writes in new will be missing in legacy.',
};

export interface DirtyChoiceProps {
  readonly value: DirtyPolicy;
  readonly onChange: (value: DirtyPolicy) => void;
  /** Where it is not known who wrote, only `force` goes back. */
  readonly isForceOnly?: boolean;
}

/** What becomes of users whose writes are in `new` only. */
export function DirtyChoice({ value, onChange, isForceOnly = false }: DirtyChoiceProps) {
  return (
    <div class="stack">
      <Select
        label="Users with writes that are in new only"
        value={value}
        options={[
          { value: 'drain', label: 'drain: wait, then keep', isDisabled: isForceOnly },
          { value: 'keep', label: 'keep: they stay in new', isDisabled: isForceOnly },
          { value: 'force', label: 'force: go back without these writes' },
        ]}
        onChange={onChange}
      />
      <p class={value === 'force' ? 'field-error' : 'field-hint'}>{MEANINGS[value]}</p>
    </div>
  );
}
