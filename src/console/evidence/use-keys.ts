/** Keys that do something on a page, while nobody types and no dialog is open. */
import { useEffect, useRef } from 'preact/hooks';

/** By the key as the browser names it. */
export type KeyActions = Readonly<Record<string, (() => void) | undefined>>;

export function useKeys(actions: KeyActions): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // What has the focus is pressed by the browser.
      if (event.key === 'Enter' && isPressable(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const action = Object.hasOwn(current.current, event.key) ? current.current[event.key] : undefined;
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select') !== null;
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, summary') !== null;
}
