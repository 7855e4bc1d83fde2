/**
 * For whom a change waits, in words; `undefined` when it waits for nobody. Pure: who counts, and when, is decided
 * here and nowhere else.
 */
import type { Change } from './change.ts';
import type { WatchedGateway } from './lease-watch.ts';

/** Named in a note; the rest is a number. */
const NAMED_MAX = 3;

function listed(what: string, gateways: readonly WatchedGateway[], tell: (each: WatchedGateway) => string) {
  if (gateways.length === 0) return undefined;
  const named = gateways.slice(0, NAMED_MAX).map(tell).join('; ');
  const rest = gateways.length - NAMED_MAX;
  return `${what}: ${named}${rest > 0 ? `; and ${rest} more` : ''}`;
}

function name({ id, where }: WatchedGateway): string {
  return where === id ? id : `${where} (${id})`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/**
 * A gateway that need not answer: it refuses the writes of this cohort, and those that it sent before have
 * passed their deadline.
 */
function isExcused(change: Change, gateway: WatchedGateway): boolean {
  if (change.needsEveryGateway || gateway.liveness !== 'fenced') return false;
  return gateway.settlesInMs === 0 || !change.movesTruth;
}

/** What ends the wait for a gateway that does not answer. */
function untilWhen({ needsEveryGateway }: Change, { liveness, settlesInMs }: WatchedGateway): string {
  if (liveness !== 'fenced') return '';
  return needsEveryGateway
    ? ', and has to agree because it does not fence itself at this stage'
    : `; a write that it sent before may be with its backend for ${inSeconds(settlesInMs)} more`;
}

/** Before anybody is held: every gateway answers or is excused, and all that answer agree on what is whose. */
export function unready(change: Change, gateways: readonly WatchedGateway[]): string | undefined {
  const absent = gateways.filter((each) => each.liveness !== 'live' && !isExcused(change, each));
  if (absent.length > 0) {
    return listed(
      'waits for gateways that do not answer',
      absent,
      (each) => `${name(each)}, ${each.liveness} for ${inSeconds(each.silentMs)}${untilWhen(change, each)}`,
    );
  }
  if (!change.movesTruth) return undefined;
  const live = gateways.filter(({ liveness }) => liveness === 'live');
  const digests = new Map<string, WatchedGateway[]>();
  for (const each of live) {
    const digest = each.lease?.digest ?? '';
    digests.set(digest, [...(digests.get(digest) ?? []), each]);
  }
  if (digests.size <= 1) return undefined;
  const fewest = [...digests.values()].toSorted((a, b) => a.length - b.length)[0] ?? [];
  return listed('the configurations of the gateways differ in what is whose', fewest, name);
}

export interface NotDrained {
  /** For people. */
  readonly why: string;
  /** Nobody has slow writes: those that are waited for do not answer, or have not heard of the hold. */
  readonly lost: boolean;
}

/**
 * Users who wrote to `new` stay there, or their records stay as they are: where one of their writes may still be at work
 * nobody else comes to own them. Only `force` takes them along, and has to wait for every write. A change of users holds
 * users, and those have settled when they have drained.
 */
function waitsForAll({ dirtyUsers }: Change): boolean {
  return dirtyUsers === 'force';
}

/** The writes that a gateway still has, in words: how many, whose, and by which routes. */
function writesOf({ lease }: WatchedGateway, all: boolean): string {
  const told = (lease?.undrained ?? []).flatMap(({ subject, writes, unsettled = writes, routes }) => {
    const count = all ? writes : unsettled;
    const by = routes.length === 0 ? '' : ` on ${routes.join(', ')}`;
    return count === 0 ? [] : [`${count} of ${subject}${by}`];
  });
  return told.length === 0 ? '' : `: ${told.join('; ')}`;
}

/** During the hold: every gateway has drained or settled the epoch of the hold, or was excused before. */
export function undrained(
  change: Change,
  epoch: number,
  gateways: readonly WatchedGateway[],
): NotDrained | undefined {
  const all = waitsForAll(change);
  const isOver = ({ lease }: WatchedGateway): boolean =>
    ((all ? lease?.drained : lease?.settled) ?? -1) >= epoch;
  const waited = gateways.filter((each) => !isOver(each) && !isExcused(change, each));
  const hasHeard = ({ lease }: WatchedGateway): boolean => (lease?.applied ?? -1) >= epoch;
  const why = listed('writes are still in flight', waited, (each) => {
    if (each.liveness !== 'live') return `${name(each)} is ${each.liveness}`;
    return hasHeard(each)
      ? `${name(each)} has not finished the writes that it has${writesOf(each, all)}`
      : `${name(each)} has not heard of the hold`;
  });
  if (why === undefined) return undefined;
  return { why, lost: waited.every((each) => each.liveness !== 'live' || !hasHeard(each)) };
}

/**
 * After the point of no return: every gateway has applied the epoch, or is fenced. One that is fenced now has the
 * hold, or was excused from it: either way it refuses the writes of this cohort.
 */
export function unapplied(epoch: number, gateways: readonly WatchedGateway[]): string | undefined {
  const waited = gateways.filter(
    ({ lease, liveness }) => (lease?.applied ?? -1) < epoch && liveness !== 'fenced',
  );
  return listed(
    `waits for epoch ${epoch} to be applied`,
    waited,
    (each) => `${name(each)}, ${each.liveness}, at epoch ${each.lease?.applied ?? 'unknown'}`,
  );
}

/** The same for changes without a hold that leave a stage at which gateways do not fence themselves. */
export function unappliedByAny(epoch: number, gateways: readonly WatchedGateway[]): string | undefined {
  const waited = gateways.filter(({ lease }) => (lease?.applied ?? -1) < epoch);
  return listed(
    `waits for epoch ${epoch} to be applied by every gateway`,
    waited,
    (each) => `${name(each)}, ${each.liveness}, at epoch ${each.lease?.applied ?? 'unknown'}`,
  );
}

/** After an undo: those that answer. Whoever does not has a hold too many at the most, and drops it when it is back. */
export function unappliedByLive(epoch: number, gateways: readonly WatchedGateway[]): string | undefined {
  return unapplied(
    epoch,
    gateways.filter(({ liveness }) => liveness === 'live'),
  );
}
