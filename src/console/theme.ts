/** Light or dark: as the system has it, or as the viewer chose. The choice is kept in the browser. */
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'light' | 'dark';

const KEY = 'turnout.theme';
const CHANGED = 'turnout:theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function chosen(): Theme | undefined {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : undefined;
  } catch {
    // A browser that keeps nothing for pages.
    return undefined;
  }
}

function current(): Theme {
  return chosen() ?? (system.matches ? 'dark' : 'light');
}

/** Puts the theme on the page, now and whenever the system changes. To be called once. */
export function startTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset['theme'] = current();
    dispatchEvent(new Event(CHANGED));
  };
  system.addEventListener('change', apply);
  apply();
}

export function switchTheme(): void {
  const next: Theme = current() === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Then it lasts as long as the page.
  }
  document.documentElement.dataset['theme'] = next;
  dispatchEvent(new Event(CHANGED));
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState<Theme>(shown);
  useEffect(() => {
    const follow = (): void => setTheme(shown());
    addEventListener(CHANGED, follow);
    return () => removeEventListener(CHANGED, follow);
  }, []);
  return theme;
}

function shown(): Theme {
  return document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
}
