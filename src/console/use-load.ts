/** Loading something for a page: what came, what went wrong, and loading it again. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ApiProblem } from './api.ts';
import { problemOf } from './problem-of.ts';

export interface Loaded<T> {
  /** The last that came. It stays while it is loaded again, and when that fails. */
  readonly data: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly isLoading: boolean;
  /** Loads it again, without taking away what is there. */
  readonly reload: () => void;
}

interface State<T> {
  readonly data: T | undefined;
  readonly problem: ApiProblem | undefined;
  readonly isLoading: boolean;
}

/**
 * @param load called when the component appears, when `deps` change, and by `reload`; only the latest call counts
 * @param deps what `load` depends on; when they change, what came before is dropped
 */
export function useLoad<T>(load: () => Promise<T>, deps: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<State<T>>({ data: undefined, problem: undefined, isLoading: true });
  const latest = useRef(0);
  const current = useRef(load);
  current.current = load;

  const run = useCallback((keep: boolean) => {
    latest.current += 1;
    const mine = latest.current;
    setState((before) => ({
      data: keep ? before.data : undefined,
      problem: keep ? before.problem : undefined,
      isLoading: true,
    }));
    current.current().then(
      (data) => {
        if (mine === latest.current) setState({ data, problem: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (mine !== latest.current) return;
        setState((before) => ({ data: before.data, problem: problemOf(error), isLoading: false }));
      },
    );
  }, []);

  useEffect(() => {
    run(false);
    return () => {
      latest.current += 1;
    };
  }, deps);
  const reload = useCallback(() => run(true), [run]);
  return { ...state, reload };
}
