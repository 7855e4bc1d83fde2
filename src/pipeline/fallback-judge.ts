/**
 * Whether `legacy` may answer a read that `new` failed to answer. ARCHITECTURE.md, section 'Fallback reads', says why
 * these questions are asked, and in this order.
 */
import { hasUsersOnNew, isTracked } from '../cutover/era.ts';
import { decide } from '../decision/decide.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Cohort, Decision, Snapshot, User, UserRecord } from '../model.ts';
import type { WriteMarker } from '../state/state-map.ts';
import type { Deciding } from './stages.ts';

export type FallbackVerdict = 'moved' | 'clean' | 'dirty' | 'unknown';

/** What is asked about: a read that has been decided. */
export type DecidedRead = Pick<
  Exchange,
  'requestClass' | 'decision' | 'record' | 'user' | 'route' | 'attribute'
>;

interface Standing {
  readonly record: UserRecord;
  readonly decision: Decision;
}

export class FallbackJudge {
  readonly #deciding: () => Deciding;
  readonly #marks: WriteMarker;

  /** @param deciding of the configuration in force */
  constructor(deciding: () => Deciding, marks: WriteMarker) {
    this.#deciding = deciding;
    this.#marks = marks;
  }

  mayFallBack({ requestClass, decision, record }: DecidedRead): boolean {
    return requestClass === 'read' && decision !== undefined && mayFallBack(decision, record);
  }

  hasMoved(exchange: DecidedRead): boolean | Promise<boolean> {
    const { state } = this.#deciding();
    const { user } = exchange;
    if (user === undefined) return false;
    const record = state.cached(user);
    if (record !== undefined) {
      const decision = this.#decide(exchange, record);
      if (decision.target === 'new' || decision.place === undefined) return this.#isOfLegacy(decision);
    }
    return this.#standing(exchange, user).then(
      ({ decision }) => this.#isOfLegacy(decision),
      // Nobody knows where this user is now.
      () => false,
    );
  }

  hasWritten({ user, decision }: DecidedRead): boolean {
    const cohort = this.#deciding().state.snapshot.cohortByName.get(decision?.cohort ?? '');
    return user !== undefined && cohort !== undefined && this.#marks.isMarked(user, cohort);
  }

  async judge(exchange: DecidedRead): Promise<FallbackVerdict> {
    const { fenced } = this.#deciding();
    const { user } = exchange;
    if (user === undefined || fenced()) return 'unknown';
    try {
      if (await this.hasMoved(exchange)) return 'moved';
      if (this.hasWritten(exchange)) return 'dirty';
      // What another gateway knew when the read failed decides, not what has come here by then.
      if (!(await this.#marks.caughtUp())) return 'unknown';
      const { record, decision } = await this.#standing(exchange, user);
      if (this.#isOfLegacy(decision)) return 'moved';
      const { snapshot } = this.#deciding().state;
      const cohort = snapshot.cohortByName.get(decision.cohort ?? '');
      if (cohort === undefined || !mayFallBack(decision, record)) return 'unknown';
      if (!isKnownOfAll(record, cohort, snapshot)) return 'unknown';
      const writes = await this.#marks.wrote(user, cohort, snapshot.cohorts);
      if (writes === 'some') return 'dirty';
      return writes === 'none' && !fenced() ? 'clean' : 'unknown';
    } catch {
      // The user's record cannot be read, or its place not be recorded.
      return 'unknown';
    }
  }

  /** As for any read of the user that came now: one whose place matters by now is placed first. */
  async #standing(exchange: DecidedRead, user: User): Promise<Standing> {
    const { state } = this.#deciding();
    let record = state.cached(user) ?? (await state.load(user));
    let decision = this.#decide(exchange, record);
    if (decision.place !== undefined) {
      record = await state.place(user, decision.place);
      decision = this.#decide(exchange, record);
    }
    return { record, decision };
  }

  #decide(exchange: DecidedRead, record: UserRecord): Decision {
    const { state, anonymous } = this.#deciding();
    const { route, user } = exchange;
    if (route === undefined) throw new Error('a read without a route was sent');
    const facts = { route, class: 'read', user, attributes: exchange, stickyKey: user } as const;
    return decide(facts, state.snapshot, record, anonymous);
  }

  /** A gateway that is fenced does not know. */
  #isOfLegacy({ target, ownerUnknown, place }: Decision): boolean {
    return target === 'legacy' && !ownerUnknown && place === undefined && !this.#deciding().fenced();
  }
}

/** Stage `live` is the last in which `legacy` is kept in sync, and its users are on `new` for no other reason. */
function mayFallBack({ target, stage, place }: Decision, { pin }: UserRecord): boolean {
  return stage === 'live' && target === 'new' && place === undefined && pin === undefined;
}

/**
 * Whether every write of the user to `new` has been marked: in its cohort, and for one without a membership in each
 * cohort that attributes may have led it to.
 */
function isKnownOfAll({ membership }: UserRecord, cohort: Cohort, snapshot: Snapshot): boolean {
  if (membership !== undefined) return cohort.era?.tracked === true;
  const { cohorts, defaultCohort } = snapshot;
  return cohorts
    .filter((each) => each.rule !== undefined || each === defaultCohort)
    .every((each) => !hasUsersOnNew(each) || isTracked(each));
}
