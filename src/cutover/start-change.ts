/** What every request for a change has in common, until the change is open. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cohort } from '../model.ts';
import type { Change } from './change.ts';
import { type ChangeAuthor, EpochMismatchError } from './control.ts';
import {
  ChangeConflictError,
  type ChangeStore,
  type ControlMap,
  type NewChange,
  OutdatedError,
} from './stores.ts';

export interface StarterOptions {
  readonly store: ChangeStore;
  readonly map: Pick<ControlMap, 'epoch'>;
  /** In the order of their rules. */
  readonly readCohorts: () => Promise<readonly Cohort[]>;
  /** Rejects, in words, while nobody may come to `new` in this cohort. */
  readonly mayGoOn?: ((cohort: string) => Promise<void>) | undefined;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

/** What a request adds to what it has in common with others. */
export type Judged = Omit<NewChange, 'id' | 'actor' | 'reason' | 'idempotencyKey'> & {
  /** Cohorts in which somebody may come to `new`, or that go further on their way there. */
  readonly goingOn?: readonly string[];
};

/** Judgements that were overtaken by another change. */
const JUDGEMENTS_MAX = 5;
/** How long a batch of a job is waited for by whoever comes in its way, and by another batch. */
const BATCH_WAIT_MS = 2_000;
const JOB_WAIT_MS = 60_000;
const CONFLICT_POLL_MS = 10;

export class ChangeStarter {
  readonly #options: StarterOptions;

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /**
   * The change that an idempotency key has begun, however far the map has moved since.
   * @throws EpochMismatchError for a request that expects another epoch and has begun nothing
   */
  async known({
    expectedEpoch,
    idempotencyKey,
  }: Pick<ChangeAuthor, 'expectedEpoch' | 'idempotencyKey'>): Promise<Change | undefined> {
    const { store, map } = this.#options;
    const found = idempotencyKey === undefined ? undefined : await store.changeOfKey(idempotencyKey);
    if (found !== undefined || expectedEpoch === undefined) return found;
    const epoch = await map.epoch();
    if (epoch !== expectedEpoch) throw new EpochMismatchError(expectedEpoch, epoch);
    return undefined;
  }

  /**
   * Opens a change.
   *
   * @param judge what is wanted, by the cohorts as they are; asked again when they have changed meanwhile
   * @returns the change, and whether it is new: a known idempotency key gives the first one's. `undefined` when `judge`
   *   finds nothing to do
   * @throws ChangeConflictError; what `judge` and `mayGoOn` throw; a store's own error when one does not answer
   */
  async open(
    author: Pick<ChangeAuthor, 'actor' | 'reason' | 'idempotencyKey'>,
    judge: (cohorts: readonly Cohort[]) => Promise<Judged | undefined> | Judged | undefined,
  ): Promise<{ readonly change: Change; readonly isNew: boolean } | undefined> {
    const { store, map, readCohorts, mayGoOn, now } = this.#options;
    const beganMs = now();
    const id = randomUUID();
    const { actor, reason, idempotencyKey } = author;
    for (let overtaken = 0; ; ) {
      const wanted = await judge(await readCohorts());
      if (wanted === undefined) return undefined;
      const { goingOn = [], ...judged } = wanted;
      // Somebody may stop a cohort right after this: then their change finds this one, and waits for its end.
      for (const cohort of goingOn) await mayGoOn?.(cohort);
      // Else the change would begin whenever the map is back, long after the answer. A job goes on by itself.
      if (judged.job === undefined) await map.epoch();
      try {
        const change = await store.openChange({ ...judged, id, actor, reason, idempotencyKey });
        return { change, isNew: change.id === id };
      } catch (error) {
        if (error instanceof OutdatedError && overtaken < JUDGEMENTS_MAX) {
          overtaken += 1;
          continue;
        }
        if (!(error instanceof ChangeConflictError)) throw error;
        // A job waits its turn; a person waits for the batch of a job, and for nothing else.
        const boundMs = judged.job !== undefined ? JOB_WAIT_MS : error.job !== undefined ? BATCH_WAIT_MS : 0;
        if (now() - beganMs >= boundMs) throw error;
        await delay(judged.job === undefined ? CONFLICT_POLL_MS : CONFLICT_POLL_MS * 5);
      }
    }
  }
}
