/** Where in the console we are. The address is the state, so that a view can be sent to somebody. */
import { useEffect, useState } from 'preact/hooks';
import { changedQuery, hashOf, parseHash, type QueryValues, type Route } from './route.ts';

export { hashOf } from './route.ts';

const CHANGED = 'turnout:query';

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseHash(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(parseHash(location.hash));
    addEventListener('hashchange', follow);
    addEventListener(CHANGED, follow);
    follow();
    return () => {
      removeEventListener('hashchange', follow);
      removeEventListener(CHANGED, follow);
    };
  }, []);
  return route;
}

/** @param hash as `hashOf` makes it */
export function go(hash: string): void {
  location.hash = hash;
}

/** Changes filters in the address without a new entry of the history: "back" leaves the page, not a keystroke. */
export function setQuery(changes: QueryValues): void {
  const { path, query } = parseHash(location.hash);
  history.replaceState(null, '', hashOf(path, changedQuery(query, changes)));
  dispatchEvent(new Event(CHANGED));
}
