/**
 * Run once before the suite: makes sure that the servers which the tests start are on this machine, so that
 * test files do not install them side by side. Ends with 1 and the command to type when they cannot be had.
 */
import { postgresBinaries, redisBinary, unprivilegedAccount } from '../fixtures/binaries.ts';
import { chromiumBinary } from '../fixtures/chromium.ts';

const needs: (() => unknown)[] = [redisBinary, postgresBinaries, unprivilegedAccount, chromiumBinary];
const problems: string[] = [];
for (const need of needs) {
  try {
    need();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
