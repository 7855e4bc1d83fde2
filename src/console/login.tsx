import { useState } from 'preact/hooks';
import type { ApiProblem } from './api.ts';
import { problemOf } from './problem-of.ts';
import { Button } from './ui/button.tsx';
import { Field } from './ui/field.tsx';
import { ProblemNote } from './ui/problem-note.tsx';

/** Asks for a token. It is sent once, for a session that scripts cannot read; the page keeps nothing of it. */
export function Login({ logIn }: { readonly logIn: (token: string) => Promise<void> }) {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<ApiProblem>();
  const [isBusy, setBusy] = useState(false);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token === '' || isBusy) return;
    setBusy(true);
    logIn(token.trim()).catch((error: unknown) => {
      setProblem(problemOf(error));
      setBusy(false);
    });
  };
  return (
    <main class="login">
      <form class="panel login-form" onSubmit={submit}>
        <h1>Turnout</h1>
        <p>Log in with a token of the configuration (admin.tokens). Its role decides what you may do here.</p>
        <Field label="Token" type="password" value={token} onInput={setToken} autoComplete="off" isFocused />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <Button type="submit" look="primary" isBusy={isBusy} isDisabled={token === ''}>
          Log in
        </Button>
      </form>
    </main>
  );
}
