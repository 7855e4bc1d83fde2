/** Reports a job on members line by line: what is in force, what was refused, and how it ended. */
import { Type } from '@sinclair/typebox';
import type { MembersProgress } from '../cutover/control.ts';
import { TurnoutError } from '../errors.ts';
import { Nullable } from './control-documents.ts';
import type { RefusedLine } from './member-lines.ts';

/** Refusals that are listed; the rest is counted. */
export const REFUSED_LISTED_MAX = 1_000;

const counts = {
  /** Everything up to this line is in force, or was refused; also after a crash. */
  line: Type.Integer(),
  changed: Type.Integer(),
  /** Already as wanted. */
  unchanged: Type.Integer(),
  refused: Type.Integer(),
};

/** One line of the answer. An answer that ends without `done` or `error` was cut off. */
export const JobLineSchema = Type.Union([
  Type.Object({ ...counts, done: Type.Literal(true), epoch: Nullable(Type.Integer()) }),
  Type.Object({
    error: Type.Object({ code: Type.String(), detail: Type.String() }, { additionalProperties: true }),
  }),
  Type.Object({
    refused: Type.Object({ line: Type.Integer(), user: Type.String(), reason: Type.String() }),
  }),
  Type.Object(counts),
]);

export interface MemberJobOptions {
  /** Each progress of the control service. To return from it ends the job after the batch under way. */
  readonly progress: AsyncGenerator<MembersProgress, void, void>;
  /** The last line that was read; of a job without an upload, the last one of the progress. */
  readonly lastLine: () => number | undefined;
  /** Aborted when the listener closes. */
  readonly stopping: AbortSignal;
  /** Whether somebody still reads the answer. */
  readonly isRead: () => boolean;
  /** How a failure is told, in an answer that has begun. */
  readonly problemOf: (error: unknown) => object;
}

export class MemberJob {
  readonly #options: MemberJobOptions;
  /** Refused before the control service saw them, and not told yet. */
  #pending: RefusedLine[] = [];
  #refused = 0;
  #listed = 0;
  #last: MembersProgress | undefined;

  constructor(options: MemberJobOptions) {
    this.#options = options;
  }

  refuse(refused: RefusedLine): void {
    this.#refused += 1;
    if (this.#listed >= REFUSED_LISTED_MAX) return;
    this.#listed += 1;
    this.#pending.push(refused);
  }

  /**
   * Runs until something is in force, so that what is refused at once can be told by the status of the answer.
   *
   * @returns the text of the answer, line by line
   * @throws what the first batch fails with
   */
  async begin(): Promise<AsyncGenerator<string, void, void>> {
    const first = await this.#step();
    return this.#rest(first);
  }

  /** @returns `undefined` at the end of the job */
  async #step(): Promise<string | undefined> {
    const { progress, stopping, isRead } = this.#options;
    if (stopping.aborted) {
      await progress.return();
      throw new TurnoutError('shutting_down');
    }
    const { done, value } = await progress.next();
    if (!isRead()) {
      await progress.return();
      return undefined;
    }
    return done === true ? undefined : this.#told(value);
  }

  #told(progress: MembersProgress): string {
    this.#last = progress;
    for (const refused of progress.refused) this.refuse(refused);
    const lines = this.#pending.map((refused) => ({ refused }));
    this.#pending = [];
    return text([...lines, this.#counts(progress.line)]);
  }

  #counts(line: number) {
    const { changed = 0, unchanged = 0 } = this.#last ?? {};
    return { line, changed, unchanged, refused: this.#refused };
  }

  async *#rest(first: string | undefined): AsyncGenerator<string, void, void> {
    const { progress, lastLine, problemOf } = this.#options;
    try {
      for (let lines = first; lines !== undefined; lines = await this.#step()) yield lines;
      const refusals = this.#pending.map((refused) => ({ refused }));
      const line = lastLine() ?? this.#last?.line ?? 0;
      yield text([...refusals, { done: true, ...this.#counts(line), epoch: this.#last?.epoch ?? null }]);
    } catch (error) {
      yield text([{ error: problemOf(error) }]);
    } finally {
      // Nobody reads on: the batch under way is the last one.
      await progress.return();
    }
  }
}

function text(objects: readonly object[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
}
