/** The console begins here. */
import { render } from 'preact';
import { SessionGate } from './session.tsx';
import { Shell } from './shell.tsx';
import './styles/base.css';
import './styles/cohort.css';
import './styles/controls.css';
import './styles/overview.css';
import './styles/table.css';
import './styles/track.css';
import { startTheme } from './theme.ts';

startTheme();
const root = document.getElementById('console');
if (root !== null) {
  render(
    <SessionGate>
      <Shell />
    </SessionGate>,
    root,
  );
}
