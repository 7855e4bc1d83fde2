/**
 * Marks users that write to `new`, for one gateway. A mark is durable before its write is forwarded: in Redis, one
 * round trip, or while Redis does not answer in the record. docs/state-map.md has the order of the steps.
 */
import type { Logger } from 'pino';
import type { Writes } from '../cutover/write-marks.ts';
import type { Mark, MarkStore } from '../cutover/write-marks-store.ts';
import { TurnoutError } from '../errors.ts';
import type { User } from '../model.ts';
import { MarkLookup, type MarkLookupOptions } from './mark-lookup.ts';
import { markMember } from './mark-member.ts';
import { MarkMemory } from './mark-memory.ts';
import { MarkQueue } from './mark-queue.ts';
import { MarkRecorder } from './mark-recorder.ts';
import type { MarkSets } from './mark-sets.ts';
import type { MarkPlace, MarkStatus, StateChange, WriteMarker } from './state-map.ts';

export interface WriteMarkerOptions {
  readonly store: MarkStore;
  /** Bound on one statement of the record, milliseconds. */
  readonly recordMs: number;
  /** The way to the map; none while it is detached, and in the embedded form. */
  readonly sets: () => MarkSets | undefined;
  /** Where marks are looked for. */
  readonly map: MarkLookupOptions['map'];
  /** As of `WriteMarker`. */
  readonly caughtUp: () => Promise<boolean>;
  /** Bound on users that are known to be marked. */
  readonly rememberedMax: number;
  readonly log: Logger;
}

/** Marks of old eras that one sweep removes. */
const PRUNE_MAX = 5_000;

export class GatewayMarker implements WriteMarker {
  readonly #options: WriteMarkerOptions;
  readonly #memory: MarkMemory;
  readonly #recorder: MarkRecorder;
  readonly #lookup: MarkLookup;
  readonly #queue: MarkQueue;
  /** Users that are being marked: writes of one user that come together share a round trip. */
  readonly #marking = new Map<string, Promise<void>>();
  #sweeping = false;
  #inMap = 0;
  #inRecord = 0;
  #failed = 0;

  constructor(options: WriteMarkerOptions) {
    const { store, recordMs, sets, map, rememberedMax, log } = options;
    this.#options = options;
    this.#memory = new MarkMemory(rememberedMax);
    this.#recorder = new MarkRecorder(store, recordMs);
    this.#lookup = new MarkLookup({ store, recordMs, map });
    this.#queue = new MarkQueue({ store, forget: async (marks) => sets()?.remove(marks), log });
  }

  isMarked(user: User, place: MarkPlace | undefined): boolean {
    return this.#memory.has(user, place);
  }

  mark(user: User, place: MarkPlace | undefined, unplaced: boolean): Promise<void> {
    const mark = { user, cohort: place?.name, era: place?.era?.number ?? 0, unplaced };
    const member = markMember(mark);
    const running = this.#marking.get(member);
    if (running !== undefined) return running;
    const marking = this.#mark(mark).finally(() => this.#marking.delete(member));
    this.#marking.set(member, marking);
    return marking;
  }

  caughtUp(): Promise<boolean> {
    return this.#options.caughtUp();
  }

  wrote(user: User, place: MarkPlace, cohorts: readonly MarkPlace[]): Promise<Writes> {
    if (this.#memory.has(user, place) || this.#queue.ofUser(user) > 0) return Promise.resolve('some');
    return this.#lookup.look(user, place, cohorts);
  }

  async #mark(mark: Mark): Promise<void> {
    const sets = this.#options.sets();
    let why: unknown = new Error('the state map does not answer');
    if (sets !== undefined) {
      try {
        await sets.add(mark);
        this.#queue.add(mark);
        this.#inMap += 1;
        this.#remember(mark);
        return;
      } catch (error) {
        why = error;
      }
    }
    try {
      await this.#recorder.add(mark);
      this.#inRecord += 1;
      this.#remember(mark);
    } catch (error) {
      this.#failed += 1;
      throw new TurnoutError('state_unknown', {
        cause: new AggregateError([why, error], 'a write could not be marked in the state map or the record'),
      });
    }
  }

  #remember({ user, cohort, era }: Mark): void {
    this.#memory.add(user, cohort, era);
  }

  unrecorded(cohort: string): number {
    return this.#queue.ofCohort(cohort);
  }

  unrecordedOf(user: User): number {
    return this.#queue.ofUser(user);
  }

  get unrecordedUnplaced(): number {
    return this.#queue.unplaced;
  }

  recorded(): Promise<void> {
    return this.#queue.noted();
  }

  /** To be told of every change of the map. */
  onChange(change: StateChange): void {
    switch (change.kind) {
      case 'reset':
        this.#memory.clear();
        return;
      case 'user':
        this.#memory.recordChanged(change.user);
        return;
      case 'snapshot':
      case 'attachment':
        return;
      default:
        change satisfies never;
    }
  }

  /**
   * Brings into the record what gateways left in Redis when they died, and removes marks of old eras from the record.
   * To be called now and then. Never rejects.
   */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { store, sets, log } = this.#options;
    try {
      await sets()?.collect(store);
      await store.pruneMarks(PRUNE_MAX);
    } catch (err) {
      log.warn({ err, event: 'marks_not_swept' }, 'marks that others left wait for the stores');
    } finally {
      this.#sweeping = false;
    }
  }

  status(): MarkStatus {
    return {
      inMap: this.#inMap,
      inRecord: this.#inRecord,
      failed: this.#failed,
      waiting: this.#queue.waiting,
      remembered: this.#memory.size,
    };
  }

  /** Makes a last attempt of up to `ms` to record what waits. */
  async close(ms: number): Promise<void> {
    await this.#queue.close(ms);
    await this.#recorder.idle();
  }
}
