/** What a change of a cohort would move, in words for the person who has to confirm it. */
import { rampOf } from '../admin/ramp-form.ts';
import { STAGE_TABLE } from '../decision/stages.ts';
import { type Backend, RAMP_BUCKETS, type Stage } from '../model.ts';
import { usersInWords } from './change-in-words.ts';
import { printable } from './printable.ts';

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

/** How many users a cohort has, where that is known. */
export interface Known {
  readonly count: number;
  /** There are more: counting was given up. */
  readonly more: boolean;
}

/** `1,204 users of cohort beta`, `50 % of the users of cohort beta`. */
function usersOf(name: string, users: Users, known: Known | undefined): string {
  const cohort = `cohort ${printable(name)}`;
  const counted =
    known === undefined ? '' : `${known.more ? 'more than ' : ''}${known.count.toLocaleString('en')} `;
  switch (users.kind) {
    case 'none':
      return `no users of ${cohort}`;
    case 'all':
      return known === undefined
        ? `all users of ${cohort}`
        : `${counted}${known.count === 1 ? 'user' : 'users'} of ${cohort}`;
    case 'some':
      return `some users of ${cohort}`;
    case 'share':
      return `${(users.buckets * 100) / RAMP_BUCKETS} % of the ${counted}users of ${cohort}`;
    case 'first':
      return `the first ${users.count.toLocaleString('en')} users of ${cohort}`;
    case 'number':
      return `${usersInWords(users.count)} of ${cohort}`;
    case 'all-but':
      return `all users of ${cohort} but the first ${users.count.toLocaleString('en')}`;
    default:
      users satisfies never;
      throw new Error('users that are none of these');
  }
}

/** Users that change their owner, in one direction. */
export interface Movement {
  readonly users: Users;
  readonly from: Backend;
  readonly to: Backend;
}

/** @returns one for each direction; empty when nobody's owner changes */
export function movement(before: StageAndRamp, after: StageAndRamp): Movement[] {
  const [old, next] = [ownedByNew(before), ownedByNew(after)];
  const directions: readonly Movement[] = [
    { users: without(next, old), from: 'legacy', to: 'new' },
    { users: without(old, next), from: 'new', to: 'legacy' },
  ];
  return directions.filter(({ users }) => users.kind !== 'none');
}

export interface Whose {
  readonly name: string;
  /** With `per-user` only users whose own data was moved are concerned. */
  readonly migration: 'cohort' | 'per-user';
  readonly known: Known | undefined;
}

/** `1,204 users of cohort sydney: reads and writes move from legacy to new` */
export function movementInWords({ name, migration, known }: Whose, movements: readonly Movement[]): string {
  const moved = migration === 'per-user' ? ' whose data was moved' : '';
  return movements
    .map(({ users, from, to }) => {
      return `${usersOf(name, users, known)}${moved}: reads and writes move from ${from} to ${to}`;
    })
    .join('; ');
}

/** Who of those that join a cohort moves, and where to. */
export function ownerInWords(at: StageAndRamp): string {
  const users = ownedByNew(at);
  if (users.kind === 'none') return 'reads and writes of those in new move to legacy';
  if (users.kind === 'all') return 'reads and writes of those in legacy move to new';
  return 'reads and writes of those inside the ramp move to new, of the others to legacy';
}
