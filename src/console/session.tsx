/** Who looks at the console, and what they may do. The API decides; this only hides what it would refuse. */
import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useContext, useEffect, useState } from 'preact/hooks';
import type { SessionDocument } from '../admin/session-document.ts';
import { type ApiProblem, getJson, sendJson, whenUnauthorized } from './api.ts';
import { reconnect } from './live.ts';
import { Login } from './login.tsx';
import { problemOf } from './problem-of.ts';
import { ProblemNote } from './ui/problem-note.tsx';
import { Loading } from './ui/states.tsx';

export type Role = SessionDocument['role'];

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };
const PATH = '/api/v1/session';

export interface Session {
  readonly name: string;
  readonly role: Role;
  /** Whether there is a login to leave: without configured tokens there is none. */
  readonly canLogOut: boolean;
  /** Whether the API would let this role do what needs that one. */
  readonly mayAct: (needed?: Role) => boolean;
  readonly logOut: () => void;
}

const NOBODY: Session = {
  name: '',
  role: 'viewer',
  canLogOut: false,
  mayAct: () => false,
  logOut: () => {},
};
const Context = createContext<Session>(NOBODY);

export function useSession(): Session {
  return useContext(Context);
}

type State =
  | { readonly kind: 'asking' }
  | { readonly kind: 'login' }
  | { readonly kind: 'failed'; readonly problem: ApiProblem }
  | { readonly kind: 'in'; readonly session: SessionDocument };

/** Shows its children to whoever is logged in, and the login to everybody else. */
export function SessionGate({ children }: { readonly children: ComponentChildren }) {
  const [state, setState] = useState<State>({ kind: 'asking' });
  const ask = useCallback(() => {
    getJson<SessionDocument>(PATH).then(
      (session) => setState({ kind: 'in', session }),
      (error: unknown) => {
        const problem = problemOf(error);
        setState(problem.status === 401 ? { kind: 'login' } : { kind: 'failed', problem });
      },
    );
  }, []);
  useEffect(() => {
    whenUnauthorized(() => setState({ kind: 'login' }));
    ask();
  }, [ask]);

  switch (state.kind) {
    case 'asking':
      return <Loading what="the session" />;
    case 'failed':
      return <ProblemNote problem={state.problem} onRetry={ask} />;
    case 'login':
      return (
        <Login
          logIn={async (token) => {
            const session = await sendJson<SessionDocument>('POST', PATH, { token });
            setState({ kind: 'in', session });
            reconnect();
          }}
        />
      );
    case 'in': {
      const { name, role, canLogOut } = state.session;
      const logOut = (): void => {
        sendJson('DELETE', PATH).then(
          () => setState({ kind: 'login' }),
          () => setState({ kind: 'login' }),
        );
      };
      const mayAct = (needed: Role = 'operator'): boolean => RANK[role] >= RANK[needed];
      return (
        <Context.Provider value={{ name, role, canLogOut, mayAct, logOut }}>{children}</Context.Provider>
      );
    }
    default:
      return state satisfies never;
  }
}
