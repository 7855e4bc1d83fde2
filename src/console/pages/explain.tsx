/** Where would this request go, and why: of a pasted one. Nothing is sent to a backend. */
import { useState } from 'preact/hooks';
import type { ExplanationDocument } from '../../admin/admin-source.ts';
import { type ApiProblem, getJson } from '../api.ts';
import { Explanation } from '../people/explanation.tsx';
import { explainQuery, type PastedRequest, parsePasted } from '../people/pasted-request.ts';
import { problemOf } from '../problem-of.ts';
import { useRoute } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import '../styles/people.css';

/** Asked anew each time the button is pressed, also for the same request: the map may have moved. */
interface Question {
  readonly pasted: PastedRequest;
  readonly user: string;
}

export function Explain() {
  const { query } = useRoute();
  // What was pasted stays out of the address: it may have tokens in it.
  const [text, setText] = useState('');
  const [user, setUser] = useState(query.get('user') ?? '');
  const [question, setQuestion] = useState<Question>();
  const [error, setError] = useState<string>();
  const ask = (event: Event): void => {
    event.preventDefault();
    try {
      setQuestion({ pasted: parsePasted(text), user: user.trim() });
      setError(undefined);
    } catch (thrown) {
      const problem: ApiProblem = problemOf(thrown);
      setQuestion(undefined);
      setError(problem.detail);
    }
  };
  return (
    <Page title="Explain a request">
      <Panel title="Request">
        <form class="stack" onSubmit={ask}>
          <Field
            label="A curl line, a request with its headers, or a path"
            value={text}
            onInput={setText}
            rows={6}
            error={error}
            placeholder="curl https://shop.example/api/orders -H 'x-user-id: u-42'"
            hint="It is read in this page, and nothing is sent to a backend. The gateway gets method, path and headers, without the body."
            isMonospaced
            isFocused
          />
          <Field
            label="User (optional)"
            value={user}
            onInput={setUser}
            hint="Stands for whatever the request says of its user."
            isMonospaced
          />
          <div>
            <Button type="submit" look="primary" isDisabled={text.trim() === ''}>
              Explain
            </Button>
          </div>
        </form>
      </Panel>
      {question === undefined ? (
        <Empty title="Paste a request">
          A browser's developer tools copy one: <em>Network</em>, <em>Copy as cURL</em>.
        </Empty>
      ) : (
        <Answer question={question} />
      )}
    </Page>
  );
}

function Answer({ question }: { readonly question: Question }) {
  const { pasted, user } = question;
  const { data, problem, reload } = useLoad(
    () => getJson<ExplanationDocument>(`/api/v1/explain?${explainQuery(pasted, user).toString()}`),
    [question],
  );
  return (
    <>
      <Understood pasted={pasted} />
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {data !== undefined && <Explanation explanation={data} linksUser />}
      {data === undefined && problem === undefined && <Loading what="the reasons" />}
    </>
  );
}

/** What was read out of the pasted text, for whoever wonders. */
function Understood({ pasted: { method, target, headers, notes } }: { readonly pasted: PastedRequest }) {
  return (
    <Panel title="Read as">
      <div class="stack">
        <p class="words">
          <code>
            {method} {target}
          </code>
        </p>
        {headers.length > 0 && (
          <dl class="facts">
            {headers.flatMap(([name, value], place) => [
              <dt key={`${place}name`}>
                <code>{name}</code>
              </dt>,
              <dd key={`${place}value`}>
                <code>{value}</code>
              </dd>,
            ])}
          </dl>
        )}
        {notes.map((note) => (
          <p key={note} class="note note-warn">
            {note}
          </p>
        ))}
      </div>
    </Panel>
  );
}
