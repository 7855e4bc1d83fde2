/** The time of a user, cut into eras of one owner each. */
import type { Applied, Backend, Change, ReadSent } from './history.ts';

/** One stretch of time in which one backend owns the user. */
export interface Era {
  /** `undefined` while nothing is done for the user. */
  readonly owner: Backend | undefined;
  /** It began between these two. */
  readonly fromMs: number;
  readonly byMs: number;
  /** It ended between these two. */
  readonly untilMs: number;
  readonly endedMs: number;
  /** What began it; `undefined` for the first. */
  readonly change: Change | undefined;
}

/** An era whose end need not be known yet: the change of the one that follows tells it. */
export interface Begun {
  /** Among the eras of its way, from 0. */
  readonly place: number;
  readonly owner: Backend | undefined;
  readonly change: Change | undefined;
  readonly before: Begun | undefined;
}

/** Whether the write may have been applied while the owner of this era had the user. */
export function mayHaveWritten(
  { owner, change }: Pick<Era, 'owner' | 'change'>,
  endedMs: number,
  { backend, beganMs, appliedMs }: Applied,
): boolean {
  return owner === backend && (change?.requestedMs ?? -Infinity) <= beganMs && appliedMs <= endedMs;
}

/** Whether the read was under way in this era. */
export function wasUnderWay(
  { change }: Pick<Era, 'change'>,
  endedMs: number,
  read: Pick<ReadSent, 'beganMs' | 'endedMs'>,
): boolean {
  return (change?.requestedMs ?? -Infinity) <= read.endedMs && read.beganMs <= endedMs;
}

/** The first era, at `from` or after it, that passes. */
export function firstEra(
  last: Begun,
  from: number,
  passes: (era: Begun, endedMs: number) => boolean,
): Begun | undefined {
  let found: Begun | undefined;
  let endedMs = Infinity;
  for (let era: Begun | undefined = last; era !== undefined && era.place >= from; era = era.before) {
    if (passes(era, endedMs)) found = era;
    endedMs = era.change?.overMs ?? -Infinity;
  }
  return found;
}

export function erasOf(last: Begun): readonly Era[] {
  const begun: Begun[] = [];
  for (let each: Begun | undefined = last; each !== undefined; each = each.before) begun.unshift(each);
  return begun.map(({ owner, change }, index) => {
    const end = begun[index + 1]?.change;
    return {
      owner,
      change,
      fromMs: change?.requestedMs ?? -Infinity,
      byMs: change?.overMs ?? -Infinity,
      untilMs: end?.requestedMs ?? Infinity,
      endedMs: end?.overMs ?? Infinity,
    };
  });
}
