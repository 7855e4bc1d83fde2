/** What the stages are called, how they look, and what they mean: for every page, in this one place. Pure. */
import { type Backend, STAGES, type Stage } from '../../model.ts';

export interface StageLook {
  readonly label: string;
  /** The class that gives it its colour. */
  readonly className: string;
  /** Who answers reads, and owns writes, of the users inside the ramp. */
  readonly truth: Backend;
  /** Where reads are sent a second time, to be compared. */
  readonly shadow: Backend | undefined;
  /** One sentence. */
  readonly meaning: string;
}

export const STAGE_LOOKS: Readonly<Record<Stage, StageLook>> = {
  off: {
    label: 'off',
    className: 'stage-off',
    truth: 'legacy',
    shadow: undefined,
    meaning: 'Everything is with legacy.',
  },
  dualwrite: {
    label: 'dualwrite',
    className: 'stage-dualwrite',
    truth: 'legacy',
    shadow: undefined,
    meaning: 'legacy answers and owns the data; writes are to reach new as well.',
  },
  shadow: {
    label: 'shadow',
    className: 'stage-shadow',
    truth: 'legacy',
    shadow: 'new',
    meaning: 'legacy answers; reads are sent to new as well, and compared.',
  },
  live: {
    label: 'live',
    className: 'stage-live',
    truth: 'new',
    shadow: 'legacy',
    meaning: 'new answers and owns the data; reads are sent to legacy as well, and compared.',
  },
  rampdown: {
    label: 'rampdown',
    className: 'stage-rampdown',
    truth: 'new',
    shadow: undefined,
    meaning: 'new answers and owns the data; nothing is compared any more.',
  },
  complete: {
    label: 'complete',
    className: 'stage-complete',
    truth: 'new',
    shadow: undefined,
    meaning: 'Everything is with new. Writes are no longer tracked for a way back.',
  },
};

/** The stage whose behaviour the users outside the ramp have. */
export function stageBefore(stage: Stage): Stage {
  return STAGES[Math.max(0, STAGES.indexOf(stage) - 1)] ?? 'off';
}
