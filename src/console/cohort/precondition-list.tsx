import { Badge, type Tone } from '../ui/badge.tsx';
import type { Precondition, PreconditionState } from './preconditions.ts';

const LOOKS: Readonly<Record<PreconditionState, { readonly tone: Tone; readonly text: string }>> = {
  met: { tone: 'good', text: 'met' },
  unmet: { tone: 'bad', text: 'not met' },
  unknown: { tone: 'warn', text: 'not known' },
};

/** What should be so, each with its figures. */
export function PreconditionList({ items }: { readonly items: readonly Precondition[] }) {
  return (
    <ul class="plain-list preconditions">
      {items.map(({ key, title, state, says }) => (
        <li key={key}>
          <Badge tone={LOOKS[state].tone}>{LOOKS[state].text}</Badge>
          <strong>{title}</strong>
          <span>{says}</span>
        </li>
      ))}
    </ul>
  );
}

/** `all met`, `2 of 6 not met`. */
export function PreconditionSum({ items }: { readonly items: readonly Precondition[] }) {
  const open = items.filter(({ state }) => state !== 'met');
  if (open.length === 0) return <Badge tone="good">all met</Badge>;
  const tone = open.some(({ state }) => state === 'unmet') ? 'bad' : 'warn';
  return (
    <Badge tone={tone}>
      {open.length} of {items.length} not met
    </Badge>
  );
}
