/** What stands around every page: where else to go, whether what is seen is live, who is looking. */

import { type LiveState, reconnect, useLive } from './live.ts';
import { PAGES } from './pages.tsx';
import { hashOf, useRoute } from './router.ts';
import { useSession } from './session.tsx';
import { switchTheme, useTheme } from './theme.ts';
import { Badge, type Tone } from './ui/badge.tsx';
import { Button } from './ui/button.tsx';
import { Ago } from './ui/figures.tsx';
import { Empty } from './ui/states.tsx';

export function Shell() {
  const { path } = useRoute();
  const [first = '', ...rest] = path;
  const entry = PAGES.find((page) => page.path === first);
  return (
    <div class="shell">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          // The part after # is the page: a plain link would leave it.
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={hashOf([])}>
          Turnout
        </a>
        <nav aria-label="Pages">
          {PAGES.map(
            ({ path: own, nav }) =>
              nav !== undefined && (
                <a
                  key={own}
                  href={hashOf(own === '' ? [] : [own])}
                  aria-current={own === first ? 'page' : undefined}
                >
                  {nav}
                </a>
              ),
          )}
        </nav>
        <div class="bar-end">
          <LiveSign />
          <ThemeSwitch />
          <Viewer />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {entry === undefined ? <NoPage /> : <entry.page key={first} rest={rest} />}
      </main>
    </div>
  );
}

const SIGNS: Readonly<Record<LiveState, { readonly tone: Tone; readonly text: string }>> = {
  live: { tone: 'good', text: 'live' },
  stale: { tone: 'warn', text: 'not live' },
  lost: { tone: 'bad', text: 'connection lost' },
};

function LiveSign() {
  const { state, toldAt } = useLive();
  const { tone, text } = SIGNS[state];
  return (
    <span class="live-sign" role="status">
      <Badge tone={tone}>{text}</Badge>
      {state !== 'live' && toldAt !== undefined && (
        <span class="live-since">
          last news <Ago at={toldAt} />
        </span>
      )}
      {state === 'lost' && (
        <Button look="quiet" onClick={reconnect}>
          Connect
        </Button>
      )}
    </span>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  return (
    <Button look="quiet" onClick={switchTheme} label={theme === 'dark' ? 'Light theme' : 'Dark theme'}>
      {theme === 'dark' ? '☀' : '☾'}
    </Button>
  );
}

function Viewer() {
  const { name, role, canLogOut, logOut } = useSession();
  return (
    <span class="viewer">
      <span title={`Role: ${role}`}>
        {name} <span class="unit">{role}</span>
      </span>
      {canLogOut && (
        <Button look="quiet" onClick={logOut}>
          Log out
        </Button>
      )}
    </span>
  );
}

function NoPage() {
  return (
    <Empty title="There is no such page">
      <a href={hashOf([])}>Go to the overview</a>
    </Empty>
  );
}
