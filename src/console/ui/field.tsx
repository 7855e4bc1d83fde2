import { type ComponentChildren, h } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password' | 'search' | 'number' | 'datetime-local';
  /** More than 1 makes it a text of several lines. */
  readonly rows?: number;
  readonly hint?: ComponentChildren;
  /** What is wrong with the value. */
  readonly error?: string | undefined;
  readonly placeholder?: string;
  readonly autoComplete?: string;
  readonly isRequired?: boolean;
  readonly isDisabled?: boolean;
  /** Has the focus when it appears. */
  readonly isFocused?: boolean;
  readonly isMonospaced?: boolean;
  readonly charsMax?: number;
}

/** A text with its label, hint and error. */
export function Field(props: FieldProps) {
  const { label, value, onInput, type = 'text', rows = 1, hint, error, isFocused } = props;
  const id = useId();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (isFocused === true) input.current?.focus();
  }, []);
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`];
  const common = {
    id,
    ref: input,
    value,
    class: props.isMonospaced === true ? 'input monospaced' : 'input',
    placeholder: props.placeholder,
    required: props.isRequired,
    disabled: props.isDisabled,
    maxLength: props.charsMax,
    'aria-invalid': error !== undefined,
    'aria-describedby': described.join(' ').trim() || undefined,
    onInput: (event: InputEvent & { readonly currentTarget: { readonly value: string } }) =>
      onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows > 1 ? (
        <textarea {...common} rows={rows} spellcheck={false} />
      ) : (
        // Not as markup: its types want another component for every type of an input.
        h('input', { ...common, type, autocomplete: props.autoComplete ?? 'off', spellcheck: false })
      )}
      {hint !== undefined && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
