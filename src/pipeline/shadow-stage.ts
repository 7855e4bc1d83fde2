/** Which reads are repeated on the other backend, and whether that still means anything later. */
import { decide } from '../decision/decide.ts';
import type { Exchange, ExchangeRoute } from '../intake/exchange.ts';
import type { RequestView } from '../intake/request-view.ts';
import type { Backend, Decision, Snapshot, User, UserRecord } from '../model.ts';
import type { Stage } from './pipeline.ts';
import type { Deciding } from './stages.ts';

export interface ShadowChooser {
  choose(exchange: Exchange, secondary: Backend, moving: boolean): void;
}

/** A read that was decided before. */
export interface ReadBefore {
  readonly view: RequestView;
  readonly route: ExchangeRoute;
  readonly user: User | undefined;
  readonly authoritative: Backend;
  readonly secondary: Backend;
}

/** Offers the reads whose decision allows a copy. For every other request it costs a branch. */
export function chooseShadowRead(deciding: Deciding, chooser: ShadowChooser): Stage {
  return (exchange) => {
    const { decision, user, record } = exchange;
    if (decision?.shadow === undefined) return;
    chooser.choose(exchange, decision.shadow, isMoving(decision, user, record, deciding.state.snapshot));
  };
}

/** The same user would still be served by the same side, with the other one to compare, and is not being moved. */
export function stillStands(before: ReadBefore, deciding: Deciding): boolean | Promise<boolean> {
  const { user } = before;
  if (user === undefined) return false;
  const record = deciding.state.cached(user);
  if (record !== undefined) return standsWith(record, before, deciding);
  return deciding.state.load(user).then(
    (loaded) => standsWith(loaded, before, deciding),
    // Nobody knows where this user is now.
    () => false,
  );
}

function standsWith(record: UserRecord, before: ReadBefore, { state, anonymous }: Deciding): boolean {
  const { view, route, user } = before;
  const { snapshot } = state;
  const decision = decide(
    { route, class: 'read', user, attributes: view, stickyKey: user },
    snapshot,
    record,
    anonymous,
  );
  return (
    decision.target === before.authoritative &&
    decision.shadow === before.secondary &&
    !isMoving(decision, user, record, snapshot)
  );
}

/** Reads are not held while a truth moves; the two sides differ then for a reason that nobody has to look at. */
function isMoving(
  { cohort, ownerUnknown }: Decision,
  user: User | undefined,
  record: UserRecord,
  { cohortHolds, userHolds }: Snapshot,
): boolean {
  return (
    ownerUnknown ||
    record.state === 'migrating' ||
    (cohort !== undefined && cohortHolds.has(cohort)) ||
    (user !== undefined && userHolds.has(user))
  );
}
