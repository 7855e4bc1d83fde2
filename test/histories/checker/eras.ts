/**
 * Cuts the time of a user into eras of one owner each, from the audit: the changes that bear on the user, in the order of
 * their epochs. A user without a membership gets one from a request that nobody noted, so there may be several ways
 * in which its time went on. Where the user was seen tells which of them it can have been.
 */
import type { Backend, Change, History, UserAtStart, Violation } from './history.ts';
import { named } from './named.ts';
import {
  type Cohorts,
  cohortsAfter,
  concerns,
  ledTo,
  ownerOf,
  type Standing,
  standingAfter,
} from './owners.ts';

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

/** Something that a backend did for the user, from when it may have begun to when it was over. */
export interface Sighting {
  readonly backend: Backend;
  readonly fromMs: number;
  readonly toMs: number;
  /** Another backend may have owned the user: of two ways, the one that explains it is the likelier, and that is all. */
  readonly isHint: boolean;
}

/** One way in which the time of a user may have gone on. */
export interface Way {
  readonly eras: readonly Era[];
  /** Where the audit tells of something that cannot have been. */
  readonly violations: readonly Violation[];
}

interface Begun {
  /** Equal for equal eras. */
  readonly id: number;
  readonly owner: Backend | undefined;
  readonly change: Change | undefined;
  readonly before: Begun | undefined;
}

interface Open {
  readonly standing: Standing;
  readonly begun: Begun;
  readonly violations: readonly Violation[];
  /** How much of what was seen it does not explain. */
  readonly wrong: number;
  /** And how many of the hints. */
  readonly unlikely: number;
}

/** Ways that are followed. More than these differ in nothing that anybody has seen. */
const WAYS_MAX = 200;

class Search {
  readonly #user: UserAtStart;
  readonly #sightings: readonly Sighting[];
  readonly #ids = new Map<string, number>();
  #cohorts: Cohorts;
  #ways: readonly Open[];
  #seen = 0;

  /** @param sightings in the order of their beginnings */
  constructor(user: UserAtStart, cohorts: Cohorts, sightings: readonly Sighting[]) {
    this.#user = user;
    this.#cohorts = cohorts;
    this.#sightings = sightings;
    const member = cohorts.filter(({ name }) => user.cohorts.includes(name));
    const memberships =
      member.length === 0 ? [null] : member.map(({ name }) => ({ cohort: name, ordinal: user.ordinal }));
    this.#ways = this.#fewest(
      memberships.flatMap((membership) =>
        this.#placements({ membership, pin: null }).map((standing) => {
          const owner = ownerOf(user, standing, cohorts);
          const begun = {
            id: this.#id(undefined, owner, undefined),
            owner,
            change: undefined,
            before: undefined,
          };
          return { standing, begun, violations: [], wrong: 0, unlikely: 0 };
        }),
      ),
    );
  }

  /** @param earliestMs when this change, or one that comes after it, may have begun to be in force */
  follow(change: Change, earliestMs: number): void {
    const before = this.#cohorts;
    this.#cohorts = cohortsAfter(before, change);
    if (!this.#ways.some(({ standing }) => concerns(change, this.#user, standing))) return;
    this.#explain(earliestMs);
    this.#ways = this.#fewest(this.#ways.flatMap((way) => this.#after(way, change, before)));
  }

  /** Counts what was seen and is in none of a way's eras so far, where a later one can be no explanation. */
  #explain(untilMs: number): void {
    const seen: Sighting[] = [];
    for (; this.#seen < this.#sightings.length; this.#seen += 1) {
      const sighting = this.#sightings[this.#seen];
      if (sighting === undefined || sighting.fromMs >= untilMs) break;
      seen.push(sighting);
    }
    if (seen.length === 0) return;
    this.#ways = this.#ways.map((way) => {
      const unexplained = seen.filter((sighting) => !isPossible(way.begun, sighting));
      if (unexplained.length === 0) return way;
      const hints = unexplained.filter(({ isHint }) => isHint).length;
      return { ...way, wrong: way.wrong + unexplained.length - hints, unlikely: way.unlikely + hints };
    });
  }

  #after(way: Open, change: Change, before: Cohorts): readonly Open[] {
    const user = this.#user;
    const { owner } = way.begun;
    const odd = oddity(change, user, way.standing, owner);
    const violations = odd === undefined ? way.violations : [...way.violations, odd];
    const wrong = way.wrong + (odd === undefined ? 0 : 1);
    const standing = standingAfter(way.standing, change, user.user);
    // A gateway may also place it while the change is made, by what it knew before.
    const stale = change.kind === 'cohort' ? this.#placements(standing, before) : [];
    return [...this.#placements(standing), ...stale].map((next) => {
      const owned = ownerOf(user, next, this.#cohorts);
      const begun =
        owned === owner
          ? way.begun
          : { id: this.#id(way.begun, owned, change), owner: owned, change, before: way.begun };
      const unheld = !change.movesTruth && owned !== owner && owned !== undefined && owner !== undefined;
      const { unlikely } = way;
      if (!unheld) return { standing: next, begun, violations, wrong, unlikely };
      const text = `${named(change)} was made without a hold, and moves ${user.user}`;
      const moved: Violation = { property: 1, user: user.user, text };
      return { standing: next, begun, violations: [...violations, moved], wrong: wrong + 1, unlikely };
    });
  }

  /** A user without a membership may be given one at any time, or stay without. */
  #placements(standing: Standing, cohorts = this.#cohorts): readonly Standing[] {
    if (standing.membership !== null) return [standing];
    const placed = ledTo(this.#user, cohorts).map((cohort) => ({
      ...standing,
      membership: { cohort, ordinal: undefined },
    }));
    return [standing, ...placed];
  }

  #id(before: Begun | undefined, owner: Backend | undefined, change: Change | undefined): number {
    const key = `${before?.id} ${owner} ${change?.id}`;
    const id = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, id);
    return id;
  }

  #fewest(ways: readonly Open[]): readonly Open[] {
    const best = new Map<string, Open>();
    for (const way of ways) {
      const { membership, pin } = way.standing;
      const key = `${way.begun.id} ${pin} ${membership?.cohort} ${membership?.ordinal}`;
      const known = best.get(key);
      if (known === undefined || likelierFirst(way, known) < 0) best.set(key, way);
    }
    return [...best.values()].toSorted(likelierFirst).slice(0, WAYS_MAX);
  }

  end(): readonly Way[] {
    this.#explain(Infinity);
    const different = new Map<number, Open>();
    for (const way of this.#ways.toSorted(likelierFirst)) {
      if (!different.has(way.begun.id)) different.set(way.begun.id, way);
    }
    return [...different.values()].map(({ begun, violations }) => ({ eras: erasOf(begun), violations }));
  }
}

function likelierFirst(a: Open, b: Open): number {
  return a.wrong - b.wrong || a.unlikely - b.unlikely;
}

/** Whether it may have been done in one of the eras up to this one. */
function isPossible(last: Begun, { backend, fromMs, toMs }: Sighting): boolean {
  let endedMs = Infinity;
  for (let era: Begun | undefined = last; era !== undefined; era = era.before) {
    if (era.owner === backend && (era.change?.requestedMs ?? -Infinity) <= toMs && fromMs <= endedMs)
      return true;
    endedMs = era.change?.overMs ?? -Infinity;
  }
  return false;
}

/**
 * The orders in which the changes that may bear on a user can have come into force. The epoch of one that is about the user
 * alone says by when it did: one of its cohort that was under way too may have come before it or after it.
 *
 * @param changes done, in the order of their epochs
 */
export function ordersOf({ user }: UserAtStart, changes: readonly Change[]): readonly (readonly Change[])[] {
  const own = changes.filter((change) => change.kind === 'cohort' || namesUser(change, user));
  return [own, sooner(own, user), sooner(own.toReversed(), user).toReversed()];
}

/** Moves what is about the user alone before what is not, as far as both were under way at a time. */
function sooner(changes: readonly Change[], user: string): readonly Change[] {
  const order: Change[] = [];
  for (const change of changes) {
    let at = order.length;
    while (namesUser(change, user) && mayComeBefore(change, order[at - 1])) at -= 1;
    order.splice(at, 0, change);
  }
  return order;
}

function mayComeBefore(change: Change, other: Change | undefined): boolean {
  if (other?.kind !== 'cohort') return false;
  return change.requestedMs <= other.overMs && other.requestedMs <= change.overMs;
}

/** Whether it is about single users, and this one of them. */
function namesUser(change: Change, user: string): boolean {
  return change.kind === 'pin'
    ? change.user === user
    : change.kind === 'members' && change.users.includes(user);
}

/** What the audit says of the user and what cannot have been. */
function oddity(
  change: Change,
  { user }: UserAtStart,
  { membership, pin }: Standing,
  owner: Backend | undefined,
): Violation | undefined {
  const odd = (text: string): Violation => ({ property: 1, user, text: `${named(change)} ${text}` });
  // For one without a membership nothing was done since its owners came to differ, or it would have one.
  if (change.kind === 'cohort' && change.kept.includes(user) && membership !== null && owner === 'legacy') {
    return odd(`keeps ${user} in new, where it was not`);
  }
  if (change.kind === 'pin' && change.user === user && change.changed === (change.to === pin)) {
    const was = `when it was pinned to ${pin ?? 'nothing'}`;
    return odd(change.changed ? `altered something ${was}` : `altered nothing ${was}`);
  }
  if (change.kind !== 'members' || change.action === 'add' || !change.users.includes(user)) return undefined;
  return membership?.cohort === change.cohort ? undefined : odd(`takes ${user} out, who was not in it`);
}

function erasOf(last: Begun): readonly Era[] {
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

/**
 * The ways in which the time of a user may have gone on, the likeliest first.
 *
 * @param changes one of `ordersOf`
 */
export function waysOf(
  user: UserAtStart,
  { cohorts }: Pick<History, 'cohorts'>,
  changes: readonly Change[],
  sightings: readonly Sighting[],
): readonly Way[] {
  const search = new Search(user, cohorts, sightings);
  // One that comes later in the order may have been asked for before.
  const earliest: number[] = [];
  for (let at = changes.length - 1; at >= 0; at -= 1)
    earliest[at] = Math.min(changes[at]?.requestedMs ?? Infinity, earliest[at + 1] ?? Infinity);
  for (const [at, change] of changes.entries()) search.follow(change, earliest[at] ?? -Infinity);
  return search.end();
}
