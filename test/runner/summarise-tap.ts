/**
 * Counts what tap reported, from the TAP itself: an assertion counts once, and a subtest or a file counts as a
 * failure of its own only if it failed without a failed assertion inside (it crashed, timed out, or exited
 * with a code). What tap prints as its own totals counts files, which says little.
 */
import { Parser, type Result } from 'tap-parser';

export interface Failure {
  /** The file and the names of the tests around the assertion, from the outside in. */
  readonly path: readonly string[];
  readonly name: string;
  /** tap's diagnostics as YAML-like lines, or empty. */
  readonly diagnostics: string;
}

export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly files: number;
  readonly failures: readonly Failure[];
}

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

export interface TapSummariser {
  /** Takes the next piece of tap's output. */
  write(text: string): void;
  /** Ends the TAP. Output that was cut short is a failure, as is a file without a single assertion. */
  end(): Summary;
}

/**
 * @param onFile called when a file's result is known
 * @param onOther called with each line that is not TAP
 */
export function summariseTap(
  onFile: (result: FileResult) => void,
  onOther: (line: string) => void = () => {},
): TapSummariser {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const failures: Failure[] = [];
  let files = 0;

  const fail = (tally: Tally, path: readonly string[], name: string, diagnostics: string): void => {
    tally.failed += 1;
    failures.push({ path, name, diagnostics });
  };

  const follow = (parser: Parser, path: readonly string[], tally: Tally): void => {
    let inside: Tally | undefined;
    parser.on('child', (child: Parser) => {
      inside = { passed: 0, failed: 0, skipped: 0 };
      follow(child, [...path, child.name], inside);
    });
    parser.on('assert', (result: Result) => {
      if (!result.closingTestPoint || inside === undefined) {
        countPoint(result, path, tally, fail);
      } else {
        closeSubtest(result, path, inside, fail);
        if (path.length === 0) {
          files += 1;
          onFile({ file: result.name, ...inside, durationMs: result.time ?? 0 });
        }
        tally.passed += inside.passed;
        tally.failed += inside.failed;
        tally.skipped += inside.skipped;
        inside = undefined;
      }
    });
  };

  const parser = new Parser();
  follow(parser, [], total);
  let bailed = false;
  parser.on('bailout', (reason: string) => {
    bailed = true;
    fail(total, [], `bail out: ${reason}`, '');
  });
  parser.on('extra', (line: string) => onOther(line));
  let complete = false;
  let ok = false;
  parser.on('complete', (results) => {
    complete = true;
    ok = results.ok;
  });

  return {
    write: (text) => void parser.write(text),
    end: () => {
      parser.end();
      const empty = total.passed + total.failed + total.skipped === 0;
      if (!bailed && (!complete || empty || (!ok && total.failed === 0))) {
        fail(total, [], 'the report of tap is incomplete', '');
      }
      return { ...total, files, failures };
    },
  };
}

type Fail = (tally: Tally, path: readonly string[], name: string, diagnostics: string) => void;

function countPoint(result: Result, path: readonly string[], tally: Tally, fail: Fail): void {
  if (isSet(result.skip) || isSet(result.todo)) tally.skipped += 1;
  else if (result.ok) tally.passed += 1;
  else fail(tally, path, result.name, diagnosticsOf(result));
}

/**
 * A file that asserted nothing proves nothing, so it fails. A test without assertions of its own ran to its end
 * without throwing (a property that held, an event that came), and counts as one that passed.
 */
function closeSubtest(result: Result, path: readonly string[], inside: Tally, fail: Fail): void {
  const within = [...path, result.name];
  if (!result.ok && inside.failed === 0) {
    fail(inside, within, 'failed outside of its assertions', diagnosticsOf(result));
  } else if (inside.passed + inside.failed + inside.skipped === 0) {
    const skippedOnPurpose = isSet(result.skip) && result.skip !== NO_TESTS;
    if (skippedOnPurpose) inside.skipped += 1;
    else if (path.length === 0) fail(inside, within, 'no test ran', '');
    else inside.passed += 1;
  }
}

/** What tap writes for a file that made no assertion, and for one that crashed before its first. */
const NO_TESTS = 'no tests found';

/** tap gives `true` or the reason. */
function isSet(directive: boolean | string): boolean {
  return directive !== false;
}

function diagnosticsOf(result: Result): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(result.diag ?? {})) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    parts.push(text.includes('\n') ? `${key}:\n${indent(text.trimEnd())}` : `${key}: ${text}`);
  }
  return parts.join('\n');
}

export function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
