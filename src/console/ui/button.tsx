import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: (() => void) | undefined;
  readonly type?: 'button' | 'submit';
  /** `danger`: it takes something away, or back. `quiet`: one of many. */
  readonly look?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly isDisabled?: boolean;
  /** At work: cannot be pressed again, and says so. */
  readonly isBusy?: boolean;
  /** Why it cannot be pressed, or what it does. */
  readonly title?: string | undefined;
  /** For a button whose text alone does not say enough. */
  readonly label?: string | undefined;
  readonly isPressed?: boolean | undefined;
}

export function Button(props: ButtonProps) {
  const { children, onClick, type = 'button', look = 'plain', isDisabled, isBusy, title, label } = props;
  return (
    <button
      type={type}
      class={`button button-${look}`}
      disabled={isDisabled === true || isBusy === true}
      aria-busy={isBusy === true}
      aria-label={label}
      aria-pressed={props.isPressed}
      title={title}
      onClick={onClick}
    >
      {isBusy === true && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}
