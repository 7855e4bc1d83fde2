import type { ComponentChildren } from 'preact';

/** Something is on its way. */
export function Loading({ what = 'this page' }: { readonly what?: string }) {
  return (
    <p class="state state-loading" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </p>
  );
}

export interface EmptyProps {
  readonly title: string;
  /** What to do about it. */
  readonly children?: ComponentChildren;
}

/** There is nothing, and why, and what to do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div class="state state-empty">
      <p class="state-title">{title}</p>
      {children !== undefined && <div class="state-hint">{children}</div>}
    </div>
  );
}
