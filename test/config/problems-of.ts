/** What parseConfig says of a text, as the lines that a person would read. */
import type { Test } from 'tap';
import type { Environment } from '../../src/config/interpolation.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ConfigError, formatProblems } from '../../src/config/problem.ts';

/** Goes behind the text under test, so that the positions in it stay as written. */
export const BACKENDS = '\nbackends: { legacy: { url: "http://a:1" }, new: { url: "http://b:2" } }\n';

/** The lines without the file's name; none if the text is a valid configuration. */
export function problemsOf(text: string, env: Environment = {}): string[] {
  try {
    parseConfig(text, { file: 'f', env });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return formatProblems(error)
      .split('\n')
      .map((line) => line.replace(/^f:?/, ''));
  }
}

/** As many lines as patterns, each meeting its own. */
export function meetsLines(t: Test, lines: readonly string[], patterns: readonly RegExp[]): void {
  t.equal(lines.length, patterns.length, lines.join('\n'));
  patterns.forEach((pattern, index) => void t.match(lines[index], pattern));
}

export interface WrongCase {
  readonly name: string;
  readonly text: string;
  readonly problems: readonly string[];
}

/** Each text, with two backends added, has exactly these problems. */
export function testWrong(t: Test, cases: readonly WrongCase[]): void {
  for (const { name, text, problems } of cases) {
    void t.test(name, async (t) => {
      t.strictSame(problemsOf(text + BACKENDS), problems);
    });
  }
}
