import type { Logger } from 'pino';
import type { StateChange } from './state-map.ts';

export interface Listeners {
  add(listener: (change: StateChange) => void): () => void;
  emit(change: StateChange): void;
}

/** Those who want to know of changes. One that throws is logged; the others and the map go on. */
export function createListeners(log: Logger): Listeners {
  const listeners = new Set<(change: StateChange) => void>();
  return {
    add(listener) {
      // A wrapper of its own for each call, so that one function added twice is removed once.
      const own = (change: StateChange): void => listener(change);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    emit(change) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch (err) {
          log.error({ err, event: 'state_listener_failed', change: change.kind }, 'a state listener failed');
        }
      }
    },
  };
}
