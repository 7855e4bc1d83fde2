import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

export interface PageProps {
  readonly title: string;
  /** Beside the title: what can be done here. */
  readonly actions?: ComponentChildren;
  /** Above the title: the way back. */
  readonly above?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, actions, above, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Turnout`;
  }, [title]);
  return (
    <div class="page">
      {above !== undefined && <div class="page-above">{above}</div>}
      <header class="page-head">
        <h1>{title}</h1>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export interface PanelProps {
  readonly title: ComponentChildren;
  /** At the end of the head: a figure, a link, a button. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, aside, children }: PanelProps) {
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>{title}</h2>
        {aside !== undefined && <div class="panel-aside">{aside}</div>}
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}
