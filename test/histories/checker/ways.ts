/**
 * The eras of a user, from the audit: the changes that bear on the user, in the order of their epochs. A user without a
 * membership gets one from a request that nobody noted, so there may be several ways in which its time went on. All of
 * them are followed. Of those that nothing to come can tell apart the best one stays, so that few are left at a time.
 */
import {
  type Account,
  afterChange,
  afterRead,
  afterWrite,
  forgetting,
  type Horizon,
  likenessOf,
  opened,
} from './account.ts';
import { type Era, erasOf } from './eras.ts';
import type {
  Applied,
  Backend,
  Change,
  History,
  Operation,
  ReadSent,
  UserAtStart,
  Violation,
} from './history.ts';
import { Moments } from './moments.ts';
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

/** One way in which the time of a user may have gone on. */
export interface Way {
  readonly eras: readonly Era[];
  /** Where the audit tells of something that cannot have been. */
  readonly violations: readonly Violation[];
}

/** All that was noted of one user. */
export interface UserEvents {
  /** In the order in which they were applied. */
  readonly applied: readonly Applied[];
  readonly operations: readonly Operation[];
}

interface Open {
  readonly standing: Standing;
  readonly account: Account;
  readonly violations: readonly Violation[];
}

/** At a time. Fifty are many; with this many the search would take hours, so that something is wrong with it. */
const WAYS_MAX = 5_000;

class Search {
  readonly #user: UserAtStart;
  readonly #strandingForbidden: boolean;
  readonly #writes: readonly Applied[];
  /** When clients were told, by value. */
  readonly #toldMs: ReadonlyMap<string, number>;
  /** In the order of their beginnings. */
  readonly #reads: readonly ReadSent[];
  readonly #moments: Moments;
  /** By place among the writes, when the first of those from there on began. */
  readonly #began: readonly { readonly seq: number; readonly ms: number }[];
  #cohorts: Cohorts;
  #ways: readonly Open[];
  #nextWrite = 0;
  #nextRead = 0;

  constructor(
    user: UserAtStart,
    { cohorts, strandingForbidden }: Pick<History, 'cohorts' | 'strandingForbidden'>,
    { applied, operations }: UserEvents,
  ) {
    this.#user = user;
    this.#cohorts = cohorts;
    this.#strandingForbidden = strandingForbidden;
    this.#writes = applied;
    this.#toldMs = new Map(
      operations.flatMap((each) =>
        each.kind === 'write' && each.outcome === 'ok' ? [[each.value, each.endedMs]] : [],
      ),
    );
    this.#reads = operations.filter((each) => each.kind === 'read').toSorted((a, b) => a.beganMs - b.beganMs);
    this.#moments = new Moments(applied, this.#reads);
    this.#began = firstBegun(applied);
    const member = cohorts.filter(({ name }) => user.cohorts.includes(name));
    const memberships =
      member.length === 0 ? [null] : member.map(({ name }) => ({ cohort: name, ordinal: user.ordinal }));
    this.#ways = this.#different(
      memberships
        .flatMap((membership) => this.#placements({ membership, pin: null }))
        .map((standing) => ({
          standing,
          account: opened(ownerOf(user, standing, cohorts)),
          violations: [],
        })),
    );
  }

  /** @param earliestMs when this change, or one that comes after it, may have begun to be in force */
  follow(change: Change, earliestMs: number): void {
    const before = this.#cohorts;
    this.#cohorts = cohortsAfter(before, change);
    if (!this.#ways.some(({ standing }) => concerns(change, this.#user, standing))) return;
    this.#judge(earliestMs);
    this.#ways = this.#different(this.#ways.flatMap((way) => this.#after(way, change, before)));
  }

  /** Judges what was over by then: no later era can have to do with it. */
  #judge(untilMs: number): void {
    for (; ; this.#nextWrite += 1) {
      const write = this.#writes[this.#nextWrite];
      if (write === undefined || write.appliedMs >= untilMs) break;
      const toldMs = this.#toldMs.get(write.value);
      this.#each((account) => afterWrite(account, write, toldMs, this.#strandingForbidden));
    }
    for (; ; this.#nextRead += 1) {
      const read = this.#reads[this.#nextRead];
      if (read === undefined || read.endedMs >= untilMs) break;
      this.#each((account) => afterRead(account, read));
    }
  }

  #each(judged: (account: Account) => Account): void {
    this.#ways = this.#ways.map((way) => ({ ...way, account: judged(way.account) }));
  }

  #after(way: Open, change: Change, before: Cohorts): readonly Open[] {
    const user = this.#user;
    const { owner } = way.account.last;
    const odd = oddity(change, user, way.standing, owner);
    const standing = standingAfter(way.standing, change, user.user);
    // A gateway may also place it while the change is made, by what it knew before.
    const stale = change.kind === 'cohort' ? this.#placements(standing, before) : [];
    return [...this.#placements(standing), ...stale].map((next) => {
      const owned = ownerOf(user, next, this.#cohorts);
      const account =
        owned === owner ? way.account : afterChange(way.account, owned, change, this.#strandingForbidden);
      const unheld = !change.movesTruth && owned !== owner && owned !== undefined && owner !== undefined;
      const text = `${named(change)} was made without a hold, and moves ${user.user}`;
      const moved: Violation | undefined = unheld ? { property: 1, user: user.user, text } : undefined;
      const found = [odd, moved].filter((each) => each !== undefined);
      return {
        standing: next,
        account: found.length === 0 ? account : { ...account, wrong: account.wrong + found.length },
        violations: found.length === 0 ? way.violations : [...way.violations, ...found],
      };
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

  /** Of those that nothing to come can tell apart the best one. */
  #different(ways: readonly Open[]): readonly Open[] {
    const horizon: Horizon = {
      readMs: this.#reads[this.#nextRead]?.beganMs ?? Infinity,
      writtenMs: this.#writes[this.#nextWrite]?.appliedMs ?? Infinity,
      writingMs: this.#began[this.#nextWrite]?.ms ?? Infinity,
      writeSeq: this.#began[this.#nextWrite]?.seq ?? Infinity,
    };
    const best = new Map<string, Open>();
    for (const { standing, account, violations } of ways) {
      const way: Open = { standing, account: forgetting(account, horizon), violations };
      const { membership, pin } = standing;
      const key = `${pin} ${membership?.cohort} ${membership?.ordinal} ${likenessOf(way.account, horizon, this.#moments)}`;
      const known = best.get(key);
      if (known === undefined || likelierFirst(way, known) < 0) best.set(key, way);
    }
    if (best.size > WAYS_MAX) throw new Error(`${best.size} ways in which ${this.#user.user} may have gone`);
    return [...best.values()];
  }

  end(): Way {
    this.#judge(Infinity);
    const [likeliest] = this.#ways.toSorted(likelierFirst);
    if (likeliest === undefined)
      throw new Error(`user ${this.#user.user} belongs to no cohort of the history`);
    return { eras: erasOf(likeliest.account.last), violations: likeliest.violations };
  }
}

function firstBegun(writes: readonly Applied[]): readonly { readonly seq: number; readonly ms: number }[] {
  let [seq, ms] = [Infinity, Infinity];
  return writes
    .toReversed()
    .map(({ beganSeq, beganMs }) => {
      [seq, ms] = [Math.min(seq, beganSeq), Math.min(ms, beganMs)];
      return { seq, ms };
    })
    .toReversed();
}

/** Of two that are as wrong as each other, the one that contradicts the audit comes before the one that contradicts a backend. */
function likelierFirst(a: Open, b: Open): number {
  return (
    a.account.wrong - b.account.wrong ||
    a.account.unlikely - b.account.unlikely ||
    b.violations.length - a.violations.length
  );
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

/**
 * Of the ways in which the time of a user may have gone on, the one that explains most of what was seen.
 *
 * @param changes one of `ordersOf`
 */
export function likeliestWay(
  user: UserAtStart,
  history: Pick<History, 'cohorts' | 'strandingForbidden'>,
  changes: readonly Change[],
  events: UserEvents,
): Way {
  const search = new Search(user, history, events);
  // One that comes later in the order may have been asked for before.
  const earliest: number[] = [];
  for (let at = changes.length - 1; at >= 0; at -= 1)
    earliest[at] = Math.min(changes[at]?.requestedMs ?? Infinity, earliest[at + 1] ?? Infinity);
  for (const [at, change] of changes.entries()) search.follow(change, earliest[at] ?? -Infinity);
  return search.end();
}
