/** What a change of a cohort would move, in words for the person who has to confirm it. */
import { rampOf } from '../admin/ramp-form.ts';
import { STAGE_TABLE } from '../decision/stages.ts';
import { type Backend, RAMP_BUCKETS, type Stage } from '../model.ts';

/** Of a cohort: what it has, or is to have. */
export interface StageAndRamp {
  readonly stage: Stage;
  /** `10%` or a number of users. */
  readonly ramp: number | string;
}

/** Some of a cohort's users. A share or a number is of those that the ramp admits first. */
type Users =
  | { readonly kind: 'none' | 'all' | 'some' }
  | { readonly kind: 'share'; readonly buckets: number }
  | { readonly kind: 'first' | 'number' | 'all-but'; readonly count: number };

const NONE: Users = { kind: 'none' };
const ALL: Users = { kind: 'all' };

/** Those whose data is in `new`: inside the ramp by the stage, outside by the one before it. */
function ownedByNew({ stage, ramp: form }: StageAndRamp): Users {
  const inside = STAGE_TABLE[stage];
  if (inside.target === 'legacy') return NONE;
  if (STAGE_TABLE[inside.before].target === 'new') return ALL;
  const ramp = rampOf(form);
  if (ramp.kind === 'count') return ramp.count === 0 ? NONE : { kind: 'first', count: ramp.count };
  if (ramp.buckets === 0) return NONE;
  return ramp.buckets === RAMP_BUCKETS ? ALL : { kind: 'share', buckets: ramp.buckets };
}

/** Those of `all` that are not of `but`. Ramps are monotonic, so the smaller one lies inside the larger one. */
function without(all: Users, but: Users): Users {
  if (all.kind === 'none' || but.kind === 'all') return NONE;
  if (but.kind === 'none') return all;
  if (all.kind === 'all') {
    if (but.kind === 'share') return { kind: 'share', buckets: RAMP_BUCKETS - but.buckets };
    return but.kind === 'first' ? { kind: 'all-but', count: but.count } : { kind: 'some' };
  }
  if (all.kind === 'share' && but.kind === 'share') {
    return all.buckets > but.buckets ? { kind: 'share', buckets: all.buckets - but.buckets } : NONE;
  }
  if (all.kind === 'first' && but.kind === 'first') {
    return all.count > but.count ? { kind: 'number', count: all.count - but.count } : NONE;
  }
  return { kind: 'some' };
}

function usersInWords(users: Users): string {
  switch (users.kind) {
    case 'none':
      return 'none of its users';
    case 'all':
      return 'all its users';
    case 'some':
      return 'some of its users';
    case 'share':
      return `${(users.buckets * 100) / RAMP_BUCKETS} % of its users`;
    case 'first':
      return `its first ${users.count.toLocaleString('en')} users`;
    case 'number':
      return `${users.count.toLocaleString('en')} of its users`;
    case 'all-but':
      return `all its users but the first ${users.count.toLocaleString('en')}`;
    default:
      users satisfies never;
      throw new Error('users that are none of these');
  }
}

/**
 * @param migration of the cohort: with `per-user` only users whose own data was moved are concerned
 * @returns `reads and writes of 50 % of its users move from legacy to new`, one for each direction; empty when
 *   nobody's owner changes
 */
export function movement(
  before: StageAndRamp,
  after: StageAndRamp,
  migration: 'cohort' | 'per-user',
): string[] {
  const [old, next] = [ownedByNew(before), ownedByNew(after)];
  const whose = migration === 'per-user' ? ' whose data was moved' : '';
  const directions: readonly (readonly [Users, Backend, Backend])[] = [
    [without(next, old), 'legacy', 'new'],
    [without(old, next), 'new', 'legacy'],
  ];
  return directions
    .filter(([users]) => users.kind !== 'none')
    .map(
      ([users, from, to]) => `reads and writes of ${usersInWords(users)}${whose} move from ${from} to ${to}`,
    );
}
