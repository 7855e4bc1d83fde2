import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'info';

const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', warn: '!', bad: '✕', calm: '·', info: 'i' };

export interface BadgeProps {
  readonly tone: Tone;
  readonly children: ComponentChildren;
  readonly title?: string | undefined;
}

/** A state in a word or two, with a sign of its own: colour is never the only one. */
export function Badge({ tone, children, title }: BadgeProps) {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      <span aria-hidden="true">{SIGNS[tone]} </span>
      {children}
    </span>
  );
}
