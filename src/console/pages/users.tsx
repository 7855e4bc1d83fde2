/** One user: where requests go and why, what changed, and the pin. */
import { useState } from 'preact/hooks';
import type { UserDocument } from '../../admin/user-documents.ts';
import { getJson } from '../api.ts';
import { FollowedChange } from '../changes/followed-change.tsx';
import { plainText } from '../evidence/bounded-text.ts';
import type { PageProps } from '../pages.tsx';
import { Explanation } from '../people/explanation.tsx';
import { PinForm, type WantedPin } from '../people/pin-form.tsx';
import { HistoryPanel, RecordPanel } from '../people/user-panels.tsx';
import { go, hashOf } from '../router.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import { useLoad } from '../use-load.ts';
import '../styles/people.css';

const TITLE_CHARACTERS = 120;

export function Users({ rest: [user] }: PageProps) {
  return user === undefined ? (
    <Page title="Users">
      <LookUp />
      <Empty title="Look a user up">
        By the key that the gateway finds in requests: a claim, a header, a cookie, as the configuration says.
        To see what it finds in a request, <a href={hashOf(['explain'])}>have one explained</a>.
      </Empty>
    </Page>
  ) : (
    <UserPage key={user} user={user} />
  );
}

function LookUp({ user = '' }: { readonly user?: string }) {
  const [wanted, setWanted] = useState(user);
  return (
    <form
      class="look-up"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted !== '') go(hashOf(['users', wanted]));
      }}
    >
      <Field
        label="User"
        type="search"
        value={wanted}
        onInput={setWanted}
        isFocused={user === ''}
        isMonospaced
      />
      <Button type="submit" look="primary" isDisabled={wanted === ''}>
        Look up
      </Button>
    </form>
  );
}

function UserPage({ user }: { readonly user: string }) {
  const { mayAct } = useSession();
  const [wanted, setWanted] = useState<WantedPin>();
  const [change, setChange] = useState<string>();
  const { data, problem, reload } = useLoad(
    () => getJson<UserDocument>(`/api/v1/users/${encodeURIComponent(user)}`),
    [user],
  );
  return (
    <Page
      title={`User ${plainText(user, TITLE_CHARACTERS)}`}
      above={<LookUp user={user} />}
      actions={mayAct() && data !== undefined && <PinButtons user={data} onWant={setWanted} />}
    >
      {problem !== undefined && <ProblemNote problem={problem} onRetry={reload} />}
      {change !== undefined && (
        <FollowedChange key={change} id={change} onOver={reload} onDismiss={() => setChange(undefined)} />
      )}
      {data === undefined ? (
        problem === undefined && <Loading what="the user" />
      ) : (
        <>
          {data.routing === null ? (
            <Panel title="Where requests go">
              <Empty title="No gateway says where a GET / of this user would go">
                The configuration may refuse such a request, or no worker answers.{' '}
                <a href={hashOf(['explain'], { user })}>Explain another request</a>
              </Empty>
            </Panel>
          ) : (
            <Explanation explanation={data.routing} />
          )}
          <p class="unit">
            Without headers: a rule that looks at headers or claims may place a user without a cohort
            elsewhere. <a href={hashOf(['explain'], { user })}>Explain another request of this user</a>
          </p>
          <RecordPanel user={data} />
          <HistoryPanel user={data} />
        </>
      )}
      {wanted !== undefined && data !== undefined && (
        <PinForm user={data} wanted={wanted} onBegun={setChange} onClose={() => setWanted(undefined)} />
      )}
    </Page>
  );
}

interface PinButtonsProps {
  readonly user: UserDocument;
  readonly onWant: (wanted: WantedPin) => void;
}

function PinButtons({ user: { record }, onWant }: PinButtonsProps) {
  return (
    <>
      {(['legacy', 'new'] as const).map(
        (backend) =>
          record.pin !== backend && (
            <Button key={backend} onClick={() => onWant({ backend })}>
              Pin to {backend}
            </Button>
          ),
      )}
      {record.pin !== null && <Button onClick={() => onWant({ backend: undefined })}>Unpin</Button>}
    </>
  );
}
