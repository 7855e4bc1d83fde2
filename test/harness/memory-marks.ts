/** Marks of writes to `new` that live in the test's memory. What is known of a user can be told apart from them. */
import type { Cohort, User } from '../../src/model.ts';
import type { MarkPlace, WriteMarker } from '../../src/state/state-map.ts';
import { MemoryState } from './memory-state.ts';

export class MemoryMarks implements WriteMarker {
  /** Users who wrote through another gateway. */
  readonly elsewhere = new Set<User>();
  /** Whether the stores answer. */
  known = true;
  /** How often somebody asked what a user wrote. */
  asked = 0;
  /** Awaited before the answer to that. */
  before: () => Promise<void> = async () => undefined;
  readonly unrecordedUnplaced = 0;
  readonly #here = new Set<User>();

  isMarked(user: User): boolean {
    return this.#here.has(user);
  }

  async mark(user: User): Promise<void> {
    this.#here.add(user);
  }

  async caughtUp(): Promise<boolean> {
    return this.known;
  }

  async wrote(user: User, _place: MarkPlace): Promise<'none' | 'some' | 'unknown'> {
    this.asked += 1;
    await this.before();
    if (!this.known) return 'unknown';
    return this.#here.has(user) || this.elsewhere.has(user) ? 'some' : 'none';
  }

  unrecorded(): number {
    return 0;
  }

  unrecordedOf(): number {
    return 0;
  }

  async recorded(): Promise<void> {}
}

export class MarkedMemoryState extends MemoryState {
  readonly marks: WriteMarker;

  constructor(cohorts: readonly Cohort[], marks: WriteMarker) {
    super(cohorts);
    this.marks = marks;
  }
}
