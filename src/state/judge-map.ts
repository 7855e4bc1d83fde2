import type { MapRow, RecordStore } from '../storage/record-store.ts';
import type { MapView } from './map-view.ts';
import { ForeignMapError, type SharedState } from './shared-state.ts';
import { within } from './within.ts';

/**
 * What a gateway that has just connected makes of the map that it finds.
 * `resume`: it is the map as this gateway left it; the feed goes on where it stopped.
 * `adopt`: it is the right map, but what this gateway knows cannot be brought up to date from the feed.
 * `lost`: it is gone, or older than what this gateway has seen; never the same as empty.
 */
export type Verdict =
  | { readonly kind: 'resume' | 'adopt'; readonly shared: SharedState }
  | { readonly kind: 'lost'; readonly why: string };

/** Whether stream id `a` is after `b`. */
export function isAfter(a: string, b: string): boolean {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs === bMs ? aSequence > bSequence : aMs > bMs;
}

/** The same map id as before: is it the same history? */
function judgeSame(view: MapView, shared: SharedState): Verdict {
  if (shared.epoch < view.epoch) {
    return { kind: 'lost', why: `Redis is at epoch ${shared.epoch}, this gateway has seen ${view.epoch}` };
  }
  if (shared.epochAtPosition === view.epoch) return { kind: 'resume', shared };
  if (shared.epochAtPosition === undefined && isAfter(shared.firstId, view.position))
    return { kind: 'adopt', shared };
  // Changes that this gateway has applied are not in the feed, and later ones are: a copy without them went on.
  return { kind: 'lost', why: `Redis has another history than this gateway has seen at epoch ${view.epoch}` };
}

/**
 * @param view what this gateway has applied; nothing at its start
 * @param condemned a map that was found to be damaged
 * @param recorded the record's map, as it was before the one in Redis was read: it only ever follows that one, so a map
 *   in Redis that is behind is an older copy, also for a gateway that has seen nothing later. `undefined` when the
 *   record did not answer
 * @throws ForeignMapError for a map that does not belong to this record: it is left alone
 * @throws when the record has to be asked and does not answer
 */
export async function judgeMap(
  view: MapView,
  shared: SharedState | undefined,
  condemned: string | undefined,
  recorded: MapRow | undefined,
  record: RecordStore,
  recordMs: number,
): Promise<Verdict> {
  if (shared === undefined) return { kind: 'lost', why: 'Redis holds no state map' };
  if (shared.id === condemned) return { kind: 'lost', why: `state map ${shared.id} is damaged` };
  if (shared.id === recorded?.id && shared.epoch < recorded.epoch) {
    return { kind: 'lost', why: `Redis is at epoch ${shared.epoch}, ${record.where} at ${recorded.epoch}` };
  }
  if (shared.id === view.identity?.id && recorded !== undefined && recorded.id !== shared.id) {
    // As this gateway left it, and yet an older copy: somebody has begun to rebuild it meanwhile, and did not get through.
    return { kind: 'lost', why: `Redis holds state map ${shared.id}, which was replaced` };
  }
  if (shared.id === view.identity?.id) return judgeSame(view, shared);

  let current: string | undefined;
  try {
    current = (await within(record.readMap(), recordMs, record.where))?.id;
  } catch (cause) {
    // At its start a gateway has nothing to lose by the map that it finds; later it has what it knows.
    if (view.identity === undefined) return { kind: 'adopt', shared };
    throw new Error(`Redis holds another state map, and ${record.where} cannot be asked about it`, { cause });
  }
  if (current === shared.id) return { kind: 'adopt', shared };
  if (current === undefined) {
    throw new ForeignMapError(
      `Redis holds state map ${shared.id} at epoch ${shared.epoch}, but ${record.where} is new and knows no map. ` +
        'Connect the record that this map belongs to; or, to begin anew, set another state.keyPrefix',
    );
  }
  if (await within(record.isRetired(shared.id), recordMs, record.where)) {
    return { kind: 'lost', why: `Redis holds state map ${shared.id}, which was replaced` };
  }
  throw new ForeignMapError(
    `Redis holds state map ${shared.id}, but the map of ${record.where} is ${current}. ` +
      'Another system may use this Redis: set another state.keyPrefix, or connect the record it belongs to',
  );
}
