import { hasUsersOnNew } from '../cutover/era.ts';
import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import type { Cohort, Snapshot, User, UserRecord } from '../model.ts';
import type { MarkPlace, WriteMarker } from '../state/state-map.ts';
import type { Stage } from './pipeline.ts';

/** What the stage needs of the state map. */
export interface MarkedState {
  readonly snapshot: Snapshot;
  cached(user: User): UserRecord | undefined;
  load(user: User): Promise<UserRecord>;
  readonly marks?: WriteMarker;
}

/** Where the writes of pinned users are marked. */
export const PINNED = Symbol('pinned');

/** How often a user may be moved while its write is being marked. */
const TRIES_MAX = 10;

/** By the cohorts of a snapshot, which change seldom. */
const elsewhere = new WeakMap<readonly Cohort[], { readonly place: Cohort | undefined }>();

/** A cohort that a user without a membership may be led to, where writes are marked. */
function trackedByAttributes({ cohorts, defaultCohort }: Snapshot): Cohort | undefined {
  let found = elsewhere.get(cohorts);
  if (found === undefined) {
    const place = cohorts.find(
      (each) =>
        (each.rule !== undefined || each === defaultCohort) &&
        each.era?.tracked === true &&
        hasUsersOnNew(each),
    );
    found = { place };
    elsewhere.set(cohorts, found);
  }
  return found.place;
}

/**
 * Where a write to `new` has to be marked; `undefined` for one that needs no mark, because nobody knows in that
 * cohort who wrote. Without a membership the user may be led to a cohort where that is known, so it is marked there.
 */
export function placeOf(
  record: UserRecord,
  cohort: string | undefined,
  snapshot: Snapshot,
): Cohort | typeof PINNED | undefined {
  if (record.pin !== undefined) return PINNED;
  const name = record.membership?.cohort ?? cohort;
  const found = name === undefined ? undefined : snapshot.cohortByName.get(name);
  if (found?.era?.tracked === true) return found;
  return record.membership === undefined ? trackedByAttributes(snapshot) : undefined;
}

function marked(place: Cohort | typeof PINNED): MarkPlace | undefined {
  return place === PINNED ? undefined : place;
}

/**
 * Notes that the user wrote to `new`, before the write is sent: whoever moves the user back has to know. Without
 * waiting for everybody but a user who writes for the first time in an era.
 */
export function markWrite(state: MarkedState): Stage {
  const { marks } = state;
  if (marks === undefined) return () => undefined;
  return (exchange) => {
    const { decision, user } = exchange;
    if (decision?.target !== 'new' || exchange.requestClass !== 'write') return undefined;
    // Whose route has a backend of its own belongs to no user's truth.
    if (user === undefined || exchange.route?.backend !== undefined) return undefined;
    const place = placeOf(exchange.record, decision.cohort, state.snapshot);
    if (place === undefined) return undefined;
    if (marks.isMarked(user, marked(place))) {
      noteMarked(exchange);
      return undefined;
    }
    return markNow(exchange, user, place, state, marks);
  };
}

/**
 * A change that moves no truth may move the user to another cohort while this waits. Then the mark is made there too:
 * when the stage ends, the user is marked where every gateway that has applied as much would look for it.
 */
async function markNow(
  exchange: Exchange,
  user: User,
  first: Cohort | typeof PINNED,
  state: MarkedState,
  marks: WriteMarker,
): Promise<void> {
  let place = first;
  let unplaced = exchange.record.membership === undefined;
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    await marks.mark(user, marked(place), unplaced);
    const record = state.cached(user) ?? (await state.load(user));
    const next = placeOf(record, exchange.decision?.cohort, state.snapshot);
    if (next === undefined) return;
    const isPlaced = record.membership !== undefined;
    if (isSame(next, place) && (isPlaced || unplaced)) {
      noteMarked(exchange);
      return;
    }
    place = next;
    unplaced = !isPlaced;
  }
  throw new TurnoutError('state_unknown', { cause: new Error(`a user was moved ${TRIES_MAX} times`) });
}

/** Whoever goes back finds the mark and leaves the user in `new`, so that nobody need wait for this write. */
function noteMarked(exchange: Exchange): void {
  exchange.countedIn = exchange.countedIn?.marked();
}

function isSame(a: Cohort | typeof PINNED, b: Cohort | typeof PINNED): boolean {
  if (a === PINNED || b === PINNED) return a === b;
  return a.name === b.name && a.era?.number === b.era?.number;
}
