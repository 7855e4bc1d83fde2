/** The stages of a request, each small enough to be read at a glance. Their order is in `gateway.ts`. */
import type { HeldWrites } from '../cutover/held-writes.ts';
import type { InFlightWrites } from '../cutover/in-flight-writes.ts';
import { decide } from '../decision/decide.ts';
import { TurnoutError } from '../errors.ts';
import type { Exchange } from '../intake/exchange.ts';
import { isHost, readRequestHead } from '../intake/request-head.ts';
import { requestIdOf } from '../intake/request-id.ts';
import type { Backend, Decision, Snapshot, User, UserRecord } from '../model.ts';
import { applyIdentity, type Identifier, type IdentityObserver, needsUser } from './identity-of.ts';
import type { Stage } from './pipeline.ts';
import { applyRoute, type RouteTable } from './route-of.ts';

/** What the stages need of the state map. */
export interface StateReader {
  readonly snapshot: Snapshot;
  cached(user: User): UserRecord | undefined;
  load(user: User): Promise<UserRecord>;
  place(user: User, cohort: string): Promise<UserRecord>;
}

/** What every decision of one configuration is made with. */
export interface Deciding {
  readonly state: StateReader;
  /** Whether this gateway can no longer know who owns a user that is under way. Asked when it matters only. */
  readonly fenced: () => boolean;
  readonly writes: InFlightWrites;
  /** The backend of requests without a user. */
  readonly anonymous: Backend;
  readonly staleReads: 'serve' | 'refuse';
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/** Reads the head and refuses what could be read in two ways. */
export function readHead(headersMax: number): Stage {
  return (exchange) => {
    if (exchange.rawHeaders.length > headersMax * 2) throw new TurnoutError('head_too_large');
    const head = readRequestHead(exchange.rawHeaders);
    exchange.head = head;
    exchange.requestId = requestIdOf(head.requestId);
    if (head.host === undefined && exchange.request.httpVersionMinor === 1 && !exchange.http2) {
      throw new TurnoutError('bad_host');
    }
    // HTTP/1.0 knows no chunks: what lies in front or behind may read the body in another way (RFC 9112, 6.1).
    if (head.chunked && exchange.request.httpVersionMinor === 0 && !exchange.http2) {
      throw new TurnoutError('malformed_request');
    }
    if (exchange.target.charCodeAt(0) !== 47) acceptTarget(exchange);
  };
}

/** The less common forms of a target: absolute, of which the path is forwarded, and `*`. */
function acceptTarget(exchange: Exchange): void {
  if (exchange.target === '*' && exchange.method === 'OPTIONS') return;
  const [, authority, rest] = ABSOLUTE.exec(exchange.target) ?? [];
  if (authority === undefined || rest === undefined || authority === '' || !isHost(authority)) {
    throw new TurnoutError('bad_target');
  }
  // The target's authority takes the place of Host (RFC 9112, 3.2.2).
  exchange.head = { ...exchange.head, host: authority };
  exchange.target = rest.startsWith('/') ? rest : `/${rest}`;
}

/** Finds the route, and with it whether this is a read or a write. */
export function matchRoute(routes: RouteTable): Stage {
  return (exchange) => applyRoute(exchange, routes);
}

/** Finds out whose request it is. */
export function identifyUser(identifier: Identifier, observer: IdentityObserver): Stage {
  return (exchange) => {
    if (!needsUser(exchange.route)) return undefined;
    const found = identifier.identify(exchange);
    if (found instanceof Promise) return found.then((late) => applyIdentity(exchange, late, observer));
    applyIdentity(exchange, found, observer);
    return undefined;
  };
}

/** Gets the user's record: from the cache without waiting, else from the map. */
export function loadRecord(state: StateReader): Stage {
  return (exchange) => {
    const { user } = exchange;
    if (user === undefined || exchange.route?.backend !== undefined) return undefined;
    const record = state.cached(user);
    if (record === undefined) {
      return state.load(user).then((loaded) => {
        exchange.record = loaded;
      });
    }
    exchange.record = record;
    return undefined;
  };
}

/** Decides. A gateway that no longer knows who owns a user refuses instead of guessing. */
export function decideBackend(deciding: Deciding): Stage {
  return (exchange) => decideNow(exchange, deciding);
}

function decideNow(exchange: Exchange, deciding: Deciding): void {
  const { route, requestClass, user } = exchange;
  if (route === undefined) throw new TurnoutError('internal');
  const { snapshot } = deciding.state;
  const decision = decide(
    { route, class: requestClass, user, attributes: exchange, stickyKey: user },
    snapshot,
    exchange.record,
    deciding.anonymous,
  );
  exchange.decision = decision;
  exchange.backend = decision.target;
  const isWrite = requestClass === 'write';
  if (
    (isWrite || deciding.staleReads === 'refuse') &&
    deciding.fenced() &&
    isUnderWay(decision, exchange, snapshot)
  ) {
    throw new TurnoutError('fenced');
  }
  if (decision.ownerUnknown && !decision.held) throw new TurnoutError('state_unknown');
  if (isWrite && user !== undefined && route.backend === undefined) {
    countWrite(exchange, user, decision, deciding.writes);
  }
}

/** In the turn of the decision, so that no hold can come between: it either sees this write or holds it. */
function countWrite(exchange: Exchange, user: User, decision: Decision, writes: InFlightWrites): void {
  if (decision.held || decision.place !== undefined || exchange.ended) {
    writes.end(exchange, user);
    return;
  }
  const { membership, pin } = exchange.record;
  const placed = membership !== undefined || pin !== undefined;
  writes.enter(exchange, user, decision.cohort, placed, exchange.route?.name);
}

/** Whether this write, decided before, must not reach its backend any more: its truth may have moved since. */
export function isFencedOff(exchange: Exchange, { fenced, state }: Deciding): boolean {
  const { decision, requestClass } = exchange;
  if (requestClass !== 'write' || decision === undefined || !fenced()) return false;
  return isUnderWay(decision, exchange, state.snapshot);
}

/** Whether this user's truth may be on the move while the gateway cannot hear of it. */
function isUnderWay(decision: Decision, exchange: Exchange, snapshot: Snapshot): boolean {
  const { user } = exchange;
  if (user !== undefined && (exchange.record.pin !== undefined || snapshot.userHolds.has(user))) return true;
  if (decision.cohort === undefined) return false;
  // Whatever its stage: its truth is on the move at this moment.
  if (snapshot.cohortHolds.has(decision.cohort)) return true;
  const stage = snapshot.cohortByName.get(decision.cohort)?.stage;
  return stage !== 'off' && stage !== 'complete';
}

/** Records that a rule placed the user, before anything acts on it; decides anew if another gateway was first. */
export function recordMembership(deciding: Deciding): Stage {
  return (exchange) => {
    const { decision, user } = exchange;
    if (decision?.place === undefined || user === undefined) return undefined;
    return placeNow(exchange, user, decision.place, deciding);
  };
}

async function placeNow(exchange: Exchange, user: User, cohort: string, deciding: Deciding): Promise<void> {
  exchange.record = await deciding.state.place(user, cohort);
  decideNow(exchange, deciding);
}

export interface HoldObserver {
  heldWrites(delta: 1 | -1): void;
  /** @param ms how long the write waited */
  held(ms: number): void;
}

/** Lets a write wait while the truth of its user moves, and decides it anew afterwards. */
export function waitForRelease(
  deciding: Deciding,
  held: HeldWrites,
  observer: HoldObserver,
  now: () => number,
): Stage {
  const { state } = deciding;
  const wait = async (exchange: Exchange, user: User): Promise<void> => {
    const sinceMs = now();
    observer.heldWrites(1);
    try {
      while (exchange.decision?.held === true) {
        await held.wait(user, now() - sinceMs, (leave) => {
          exchange.onInterrupt = leave;
        });
        exchange.onInterrupt = undefined;
        exchange.record = state.cached(user) ?? (await state.load(user));
        decideNow(exchange, deciding);
        // With its new truth the cohort may differ from others that the user could fall into.
        if (exchange.decision.place !== undefined)
          await placeNow(exchange, user, exchange.decision.place, deciding);
      }
    } finally {
      observer.heldWrites(-1);
      observer.held(now() - sinceMs);
    }
  };
  return (exchange) => {
    if (exchange.decision?.held !== true || exchange.user === undefined) return undefined;
    return wait(exchange, exchange.user);
  };
}
