/** The stages as a table: who serves, where copies go, and what the rest of a ramp gets. */
import type { Backend, Stage } from '../model.ts';

export interface StageRow {
  /** Serves reads and takes writes. */
  readonly target: Backend;
  readonly shadow: Backend | undefined;
  readonly mirror: Backend | undefined;
  /** The stage of the users outside the ramp. `off` has none before it and stays. */
  readonly before: Stage;
}

export const STAGE_TABLE: { readonly [S in Stage]: StageRow } = {
  off: { target: 'legacy', shadow: undefined, mirror: undefined, before: 'off' },
  dualwrite: { target: 'legacy', shadow: undefined, mirror: 'new', before: 'off' },
  shadow: { target: 'legacy', shadow: 'new', mirror: 'new', before: 'dualwrite' },
  live: { target: 'new', shadow: 'legacy', mirror: 'legacy', before: 'shadow' },
  rampdown: { target: 'new', shadow: undefined, mirror: 'legacy', before: 'live' },
  complete: { target: 'new', shadow: undefined, mirror: undefined, before: 'rampdown' },
};
