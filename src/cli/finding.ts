/** What the doctor finds: one line for each check, and what to do about it. */
import { printable } from '../wording/printable.ts';
import type { Style, Writer } from './writer.ts';

/** `skip`: it could not be looked at, which is said by another finding or is no trouble. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  /** A few words, the same in each run. */
  readonly check: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** What to do; `null` where nothing is to be done. */
  readonly advice: string | null;
}

export const ok = (check: string, found: string): Finding => ({ check, verdict: 'ok', found, advice: null });
export const skip = (check: string, found: string): Finding => ({
  check,
  verdict: 'skip',
  found,
  advice: null,
});
export const warn = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'warn',
  found,
  advice,
});
export const fail = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'fail',
  found,
  advice,
});

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const satisfies Record<
  Verdict,
  Style
>;

export function printFindings(findings: readonly Finding[], writer: Writer): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, verdict, found, advice } of findings) {
    writer.line(
      `${writer.style(STYLES[verdict], verdict.padEnd(4))}  ${check.padEnd(width)}  ${printable(found)}`,
    );
    if (advice !== null) writer.line(`${' '.repeat(width + 8)}${printable(advice)}`);
  }
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  writer.line();
  writer.line(
    `${count('ok')} right, ${count('warn')} to look at, ${count('fail')} wrong, ${count('skip')} not looked at`,
  );
}
