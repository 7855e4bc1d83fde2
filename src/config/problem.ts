/**
 * What is wrong with a configuration, in words for the person who wrote it. All problems of a file are found
 * before anything is thrown, so that one reading mends them all.
 */

/** The exit code of a process that cannot start because of its configuration (`sysexits.h`). */
export const EX_CONFIG = 78;

/** One thing that is wrong, or, as a warning, one thing that the reader should know. */
export interface Problem {
  /** 1-based; 0 where the problem is the file as a whole. */
  readonly line: number;
  /** 1-based; 0 where the problem is the file as a whole. */
  readonly column: number;
  /** `backends.new.url`, `routes[2].match`; empty for the file as a whole. */
  readonly path: string;
  /** The whole sentence. Never carries a secret. */
  readonly message: string;
  /** What was expected there, where that can be said in a few words. */
  readonly expected: string | undefined;
  /** What was found there, where it may be shown. */
  readonly found: string | undefined;
  /** The known key that is nearest to a misspelt one. */
  readonly suggestion: string | undefined;
}

/** The configuration cannot be used. Carries every problem, in the order of the file. */
export class ConfigError extends Error {
  readonly file: string;
  /** Never empty. */
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[], options?: ErrorOptions) {
    super(`${file}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}`, options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = Object.freeze([...problems]);
  }
}

/** One line for each problem: `file:line:column  path: message`. */
export function formatProblems(error: ConfigError): string {
  return formatLines(error.file, error.problems);
}

/** The same form for warnings. */
export function formatLines(file: string, problems: readonly Problem[]): string {
  return problems
    .map((problem) => {
      const place = problem.line === 0 ? file : `${file}:${problem.line}:${problem.column}`;
      const subject = problem.path === '' ? '' : `${problem.path}: `;
      return `${place}  ${subject}${problem.message}`;
    })
    .join('\n');
}
