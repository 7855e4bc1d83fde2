/** Reads one user: from the map while it is attached, else from the record, else not at all. */
import type { Logger } from 'pino';
import { TurnoutError } from '../errors.ts';
import type { User } from '../model.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { MapLostError } from './map-commands.ts';
import type { Link } from './map-follower.ts';
import type { MapView } from './map-view.ts';
import {
  type CohortNumbers,
  decodeRecord,
  isTentative,
  RecordCodecError,
  UnknownCohortError,
} from './record-codec.ts';
import type { UserRead } from './user-table.ts';
import { ABSENT, newerOf, type Versioned } from './versioned.ts';
import { within } from './within.ts';

export interface UserReaderOptions {
  readonly record: RecordStore;
  /** Bound on one read of the record, milliseconds. */
  readonly recordMs: number;
  readonly view: MapView;
  /** The way to the map; none while it is detached. */
  readonly link: () => Link | undefined;
  /** Told when what is in Redis is not the map. */
  readonly suspect: (error: MapLostError) => void;
  readonly problem: () => Error | undefined;
  readonly log: Logger;
}

export class UserReader {
  readonly #options: UserReaderOptions;

  constructor(options: UserReaderOptions) {
    this.#options = options;
  }

  /**
   * Bounded by `commandMs` and the record's bound together.
   * @throws TurnoutError `state_unknown` when neither store answers, or the map's record cannot be read
   */
  async read(user: User): Promise<UserRead> {
    const { link, suspect, problem, view } = this.#options;
    const attached = link();
    let why: unknown;
    if (attached !== undefined) {
      try {
        const versioned = await this.#readMap(attached, user);
        return { versioned: newerOf(view.announced(user), versioned), keep: 'cached' };
      } catch (error) {
        // The map has a record of this user. Another store's idea of it is no answer to that.
        if (error instanceof RecordCodecError) throw this.#unreadable(error);
        if (error instanceof MapLostError) suspect(error);
        why = error;
      }
    }
    // Made here, not before: an error with its stack would be the dearest part of a read that succeeds.
    why ??= problem() ?? new Error('the state map does not answer');
    const stored = await this.#readRecord(user, why);
    const versioned = newerOf(view.announced(user), stored);
    // While the map is attached, its answer is only late: what the record says is good for this request.
    return { versioned, keep: link() === undefined ? 'provisional' : 'once' };
  }

  async #readMap({ commands, map }: Link, user: User): Promise<Versioned> {
    const { view } = this.#options;
    const bytes = await commands.readUser(map, user);
    if (bytes === undefined) return ABSENT;
    try {
      return knownOf(bytes, view.cohorts);
    } catch (error) {
      if (!(error instanceof UnknownCohortError)) throw error;
      // The feed has not yet told of the cohort that the record names.
      const shared = await commands.readShared('');
      if (shared?.id !== map.id) throw new MapLostError('the state map was replaced');
      view.learnCohorts(shared);
      return knownOf(bytes, view.cohorts);
    }
  }

  async #readRecord(user: User, why: unknown): Promise<Versioned> {
    const { record, recordMs } = this.#options;
    try {
      const stored = await within(record.readUser(user), recordMs, record.where);
      if (stored?.inForce === false)
        throw new Error('a change of this user is recorded and perhaps not in force');
      return stored ?? ABSENT;
    } catch (error) {
      throw new TurnoutError('state_unknown', {
        cause: new AggregateError([why, error], 'neither the state map nor the record answers'),
      });
    }
  }

  #unreadable(cause: RecordCodecError): TurnoutError {
    this.#options.log.error({ err: cause, event: 'user_record_unreadable' }, 'a user record cannot be read');
    return new TurnoutError('state_unknown', { cause });
  }
}

/** A placement that the record may not have is none yet: who needs one places the user, and waits for the record. */
function knownOf(bytes: Buffer, cohorts: CohortNumbers): Versioned {
  const decoded = decodeRecord(bytes, cohorts);
  if (!isTentative(bytes)) return decoded;
  return { record: { ...decoded.record, membership: undefined }, version: decoded.version };
}
