import t from 'tap';
import { type FileResult, type Summary, summariseTap } from './summarise-tap.ts';

function summarise(tap: string): { summary: Summary; files: FileResult[]; others: string[] } {
  const files: FileResult[] = [];
  const others: string[] = [];
  const summariser = summariseTap(
    (file) => files.push(file),
    (line) => others.push(line),
  );
  // In pieces that cut through lines, as a pipe would deliver them.
  for (let at = 0; at < tap.length; at += 17) summariser.write(tap.slice(at, at + 17));
  return { summary: summariser.end(), files, others };
}

const NESTED = `TAP version 14
1..2
# Subtest: build/test/a.test.js
    # Subtest: outer
        ok 1 - first
        # Subtest: inner
            ok 1 - second
            ok 2 - third
            1..2
        ok 2 - inner # time=1ms
        1..2
    ok 1 - outer # time=2ms
    1..1
ok 1 - build/test/a.test.js # time=12.5ms
# Subtest: build/test/b.test.js
    # Subtest: adds
        ok 1 - right
        not ok 2 - wrong
          ---
          diff: |
            -3
            +2
          ...
        1..2
    not ok 1 - adds # time=1ms
    1..1
not ok 2 - build/test/b.test.js # time=3ms
`;

void t.test('each assertion counts once, subtests and files do not', async (t) => {
  const { summary, files } = summarise(NESTED);
  t.equal(summary.passed, 4);
  t.equal(summary.failed, 1);
  t.equal(summary.files, 2);
  t.same(files[0], {
    file: 'build/test/a.test.js',
    passed: 3,
    failed: 0,
    skipped: 0,
    durationMs: 12.5,
  });
});

void t.test('a failure is listed with the names around it and its diagnostics', async (t) => {
  const { summary } = summarise(NESTED);
  t.same(summary.failures, [
    { path: ['build/test/b.test.js', 'adds'], name: 'wrong', diagnostics: 'diff:\n  -3\n  +2' },
  ]);
});

void t.test('a file that crashed before its first assertion fails', async (t) => {
  const { summary } = summarise(`1..1
# Subtest: build/test/crash.test.js
    1..0 # no tests found
not ok 1 - build/test/crash.test.js # time=4ms
  ---
  exitCode: 1
  ...
`);
  t.equal(summary.failed, 1);
  t.match(summary.failures[0]?.diagnostics, 'exitCode: 1');
});

void t.test('a file whose assertions passed and whose process failed afterwards fails', async (t) => {
  const { summary } = summarise(`1..1
# Subtest: build/test/late.test.js
    ok 1 - fine
    1..1
not ok 1 - build/test/late.test.js
  ---
  signal: SIGSEGV
  ...
`);
  t.equal(summary.passed, 1);
  t.equal(summary.failed, 1);
});

void t.test('a file without any assertion fails', async (t) => {
  const { summary } = summarise(`1..1
# Subtest: build/test/empty.test.js
    1..0 # no tests found
ok 1 - build/test/empty.test.js # SKIP no tests found
`);
  t.equal(summary.failed, 1);
  t.equal(summary.failures[0]?.name, 'no test ran');
});

void t.test('a file that was killed for its time fails', async (t) => {
  const { summary } = summarise(`1..1
not ok 1 - timeout!
  ---
  expired: build/test/slow.test.js
  ...
`);
  t.equal(summary.failed, 1);
  t.match(summary.failures[0]?.diagnostics, 'expired: build/test/slow.test.js');
});

void t.test('skipped and unfinished assertions are neither passed nor failed', async (t) => {
  const { summary } = summarise(`1..1
# Subtest: build/test/a.test.js
    ok 1 - on another system # SKIP
    not ok 2 - one day # TODO
    ok 3 - now
    1..3
ok 1 - build/test/a.test.js
`);
  t.match(summary, { passed: 1, failed: 0, skipped: 2 });
});

void t.test('a test without assertions that ran to its end passed, one that threw failed', async (t) => {
  const { summary } = summarise(`1..1
# Subtest: build/test/a.test.js
    # Subtest: a property
        1..0
    ok 1 - a property # SKIP no tests found
    # Subtest: throws
        1..0
    not ok 2 - throws
    1..2
not ok 1 - build/test/a.test.js
`);
  t.match(summary, { passed: 1, failed: 1, skipped: 0 });
});

void t.test('a bail out fails', async (t) => {
  const { summary } = summarise(`1..2
# Subtest: build/test/a.test.js
    ok 1 - fine
    1..1
ok 1 - build/test/a.test.js
Bail out! no database
`);
  t.equal(summary.failed, 1);
  t.match(summary.failures[0]?.name, 'no database');
});

void t.test('a report that was cut short fails', async (t) => {
  const { summary } = summarise(NESTED.slice(0, NESTED.indexOf('# Subtest: build/test/b')));
  t.equal(summary.failed, 1);
});

void t.test('an empty report fails', async (t) => {
  t.equal(summarise('').summary.failed, 1);
});

void t.test('what is not TAP is handed on', async (t) => {
  const { others } = summarise(`1..1\nok 1 - fine\n-----|---\n`);
  t.match(others.join(''), '-----|---');
});
