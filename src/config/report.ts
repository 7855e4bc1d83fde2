/**
 * Gathers the problems and warnings of one configuration, each with its line and column.
 */
import { type Place, placeKey, printPlace } from './place.ts';
import { ConfigError, type Problem } from './problem.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where each value stands: the position of its key, or of the value itself in a list. */
export type Positions = ReadonlyMap<string, Position>;

export interface ProblemDetails {
  readonly expected?: string;
  readonly found?: string;
  readonly suggestion?: string;
}

/** More problems than this are counted, not listed: a file of the wrong kind would print a book. */
const PROBLEMS_MAX = 200;

const NOWHERE: Position = { line: 0, column: 0 };

export class Report {
  readonly file: string;
  #positions: Positions = new Map();
  readonly #problems: Problem[] = [];
  readonly #warnings: Problem[] = [];
  readonly #muted = new Set<string>();
  readonly #seen = new Set<string>();

  constructor(file: string) {
    this.file = file;
  }

  get failed(): boolean {
    return this.#problems.length > 0;
  }

  /** In the order of the file. */
  get warnings(): readonly Problem[] {
    return inFileOrder(this.#warnings);
  }

  locate(positions: Positions): void {
    this.#positions = positions;
  }

  /** The value at `place` has its problem already; further ones would only follow from it. */
  mute(place: Place): void {
    this.#muted.add(placeKey(place));
  }

  /** A problem of the value at `place`; of the nearest value around it, if nothing is written there. */
  problem(place: Place, message: string, details: ProblemDetails = {}): void {
    if (!this.#muted.has(placeKey(place))) this.problemAt(this.positionOf(place), place, message, details);
  }

  problemAt(position: Position, place: Place, message: string, details: ProblemDetails = {}): void {
    const problem = row(position, place, message, details);
    const key = `${problem.line}:${problem.column} ${problem.path} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#problems.push(problem);
  }

  warn(place: Place, message: string): void {
    this.#warnings.push(row(this.positionOf(place), place, message, {}));
  }

  /** @throws ConfigError if there is any problem */
  throwIfFailed(): void {
    if (this.failed) this.fail();
  }

  /** @throws ConfigError always */
  fail(cause?: unknown): never {
    const ordered = inFileOrder(this.#problems);
    const listed = ordered.slice(0, PROBLEMS_MAX);
    if (ordered.length > PROBLEMS_MAX) {
      listed.push(row(NOWHERE, [], `and ${ordered.length - PROBLEMS_MAX} more problems`, {}));
    }
    throw new ConfigError(this.file, listed, cause === undefined ? undefined : { cause });
  }

  positionOf(place: Place): Position {
    for (let length = place.length; length >= 0; length -= 1) {
      const position = this.#positions.get(placeKey(place.slice(0, length)));
      if (position !== undefined) return position;
    }
    return NOWHERE;
  }
}

function row(position: Position, place: Place, message: string, details: ProblemDetails): Problem {
  return Object.freeze({
    line: position.line,
    column: position.column,
    path: printPlace(place),
    message,
    expected: details.expected,
    found: details.found,
    suggestion: details.suggestion,
  });
}

/** Stable: problems of one position keep the order in which they were found. */
function inFileOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
