/** How much of a cohort its ramp takes in, and what that means in users. Pure. */
import type { Backend, Stage } from '../model.ts';
import { STAGE_LOOKS, stageBefore } from './ui/stage.ts';

export interface MemberCount {
  readonly count: number;
  /** There are more than were counted. */
  readonly isMore: boolean;
}

/**
 * @param ramp in words, as in the status: `12.5 %`, `1000 users`
 * @returns 0 to 1; `undefined` for a number of users while it is not known how many there are
 */
export function rampShare(ramp: string, members?: MemberCount): number | undefined {
  const percent = /^(\d+(?:\.\d+)?) ?%$/u.exec(ramp)?.[1];
  if (percent !== undefined) return Number(percent) / 100;
  const count = /^(\d+)(?: users)?$/u.exec(ramp)?.[1];
  if (count === undefined || members === undefined || members.isMore) return undefined;
  return members.count === 0 ? 1 : Math.min(1, Number(count) / members.count);
}

/** The share of a cohort's users whose truth is there, pins and moved users aside; `undefined` where it is not known. */
export function shareAt(side: Backend, stage: Stage, inside: number | undefined): number | undefined {
  const within = STAGE_LOOKS[stage].truth === side;
  const outside = STAGE_LOOKS[stageBefore(stage)].truth === side;
  if (within === outside) return within ? 1 : 0;
  if (inside === undefined) return undefined;
  return within ? inside : 1 - inside;
}
