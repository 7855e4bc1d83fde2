/** Watches a change until it is over, and says what it waits for. */
import { setTimeout as passed } from 'node:timers/promises';
import {
  type ChangeDocument,
  type ChangeInProgressDocument,
  ChangeInProgressSchema,
} from '../admin/control-documents.ts';
import { isOver, progressInWords } from '../wording/change-progress.ts';
import { printable } from '../wording/printable.ts';
import { askAdmin } from './admin-client.ts';
import { Unanswered } from './admin-connection.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';

const LOOK_EACH_MS = 250;
/** The same line with other figures is not printed more often. */
const REPEAT_MS = 5_000;

export interface FollowOptions {
  /** Bound on the whole. */
  readonly waitMs: number;
  /** Gets a line whenever something is new. */
  readonly progress: (line: string) => void;
}

/**
 * A gateway that does not answer meanwhile is asked again: it may be the one that the change waits for.
 *
 * @returns the change when it is over, or as it is after `waitMs`
 * @throws CliError in one line
 */
export async function followChange(
  id: string,
  { waitMs, progress }: FollowOptions,
  context: Pick<CliContext, 'env'>,
): Promise<ChangeInProgressDocument> {
  const untilMs = performance.now() + waitMs;
  let last = '';
  let lastMs = 0;
  for (;;) {
    const seen = await askAdmin(ChangeInProgressSchema, `/api/v1/changes/${id}`, context).catch(
      (error: unknown) => {
        if (error instanceof Unanswered) return error;
        throw error;
      },
    );
    const leftMs = untilMs - performance.now();
    if (seen instanceof Unanswered) {
      if (leftMs <= 0) throw seen;
    } else if (isOver(seen) || leftMs <= 0) return seen;
    const line = seen instanceof Unanswered ? 'no answer; asking again' : progressInWords(seen);
    // Seconds that pass are no news, but now and then a sign of life.
    const isNews = wordsOf(line) !== wordsOf(last) || performance.now() - lastMs >= REPEAT_MS;
    if (isNews && line !== last) {
      progress(line);
      last = line;
      lastMs = performance.now();
    }
    await passed(Math.min(LOOK_EACH_MS, Math.max(0, leftMs)));
  }
}

function wordsOf(line: string): string {
  return line.replace(/[0-9.]+ s\b/gu, '');
}

/** The exit code of a change, by what became of it. */
export function exitOf({ phase }: Pick<ChangeDocument, 'phase'>): ExitCode {
  if (phase === 'done') return EXIT.ok;
  return phase === 'undone' ? EXIT.failure : EXIT.underWay;
}

/** @throws CliError for a change that is not done */
export function expectDone(change: ChangeDocument): void {
  const { id, phase, note } = change;
  const why = note === null ? '' : `: ${printable(note)}`;
  switch (phase) {
    case 'done':
      return;
    case 'undone':
      throw new CliError(`Change ${id} was undone, and nobody moved${why}.`, exitOf(change));
    default:
      throw new CliError(
        `Change ${id} is still ${phase}${why}. It goes on; "turnout changes ${id}" shows how far it is.`,
        exitOf(change),
      );
  }
}
