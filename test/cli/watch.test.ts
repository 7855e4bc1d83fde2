import { once } from 'node:events';
import { createServer } from 'node:http';
import t, { type Test } from 'tap';
import type { LiveDocument } from '../../src/admin/live-document.ts';
import { LiveModel } from '../../src/cli/watch/live-model.ts';
import { fitted, type Line, screenLines } from '../../src/cli/watch/screen-lines.ts';
import { sparkline } from '../../src/cli/watch/sparkline.ts';
import { FakeControl } from '../admin/fake-control.ts';
import { cohortGuardOf, FakeGuard, runOf, sideOf, tripOf } from '../admin/fake-guard.ts';
import { STATUS } from '../admin/fake-source.ts';
import { openAdmin } from '../admin/open-admin.ts';
import { run } from './run-in-process.ts';

void t.test('a sparkline shows the newest figures; a gap is a gap', async (t) => {
  t.equal(sparkline([0, 1, 2, 4, 8], 5, 8), '▁▁▂▄█');
  t.equal(sparkline([8, undefined, 100], 5, 8), '  █ █');
  t.equal(sparkline([1, 2, 3], 2, 3), '▆█');
  t.equal(sparkline([1, 2, 3], 0, 3), '');
  t.equal(sparkline([0, 5], 2, 0), '▁▁', 'without a scale everything is low');
  t.equal(sparkline([0, 1, 2, 4, 8], 5, 8, true), '__.-#');
});

/** What the API answers over these fakes. */
async function liveOf(t: Test, guard: FakeGuard): Promise<LiveDocument> {
  const control = new FakeControl();
  const { ask, source } = await openAdmin(t, { guard: () => guard, control: () => control });
  const [staff] = STATUS.cohorts;
  if (staff === undefined) throw new Error('no cohort');
  source.statusDocument = {
    ...STATUS,
    cohorts: [staff, { ...staff, name: 'beta', stage: 'shadow', held: true }],
  };
  control.next = { phase: 'holding', note: 'waits for g2' };
  const [before] = control.list;
  if (before === undefined) throw new Error('no cohort');
  control.begin(before, {
    actor: 'a',
    reason: 'r',
    cohort: 'staff',
    stage: 'live',
    ramp: { kind: 'percent', buckets: 5_000 },
    dirtyUsers: 'drain',
    expectedEpoch: undefined,
    idempotencyKey: undefined,
  });
  const status = JSON.parse((await ask('/api/v1/status')).body);
  return { at: '2026-11-21T03:00:01.000Z', status, guard: JSON.parse((await ask('/api/v1/guard')).body) };
}

const textOf = (line: Line): string => line.map(({ text }) => text).join('');

const many = (requests: number) => Array.from({ length: 60 }, () => requests);

async function trippedView(t: Test): Promise<LiveModel> {
  const guard = new FakeGuard();
  guard.list = [
    cohortGuardOf('staff', {
      phase: 'tripped',
      trip: tripOf(3),
      legacy: sideOf(many(900)),
      new: sideOf(many(100), 42),
    }),
    cohortGuardOf('beta', { stage: 'shadow', phase: 'idle', ramp: runOf('waiting') }),
  ];
  const model = new LiveModel();
  model.take(await liveOf(t, guard), 1_000);
  return model;
}

const SCREEN = { columns: 140, rows: 50, plainBars: false, nowMs: 1_000, lost: undefined };

void t.test('the view has cohorts, both backends, holds, trips, and what is in progress', async (t) => {
  const model = await trippedView(t);
  const text = screenLines(model, SCREEN).map(textOf).join('\n');
  t.match(
    text,
    /^turnout 0\.1\.0 {2}up 0s {2}epoch \? {2}state map unknown {2}record embedded {2}2026-11-21 03:00:01Z$/mu,
  );
  t.match(text, /^2 gateways live, 0 requests in flight$/mu);
  t.match(text, /^staff {2}live 100 % {2}TRIPPED errorRate$/mu);
  t.match(text, /^ {2}legacy +900\/s +█+ {2}failed +0 % +▁+ {2}mean +6\d ms +[▁-█]+ {2}p99 +40 ms$/mu);
  t.match(text, /^ {2}new +100\/s +█+ {2}failed +42 % +█+ {2}mean/mu);
  t.match(text, /^beta {2}shadow 100 % {2}nobody on new {2}HELD: writes wait$/mu);
  t.match(text, /^ {2}new +0\/s .* failed +- .* mean +- /mu);
  t.match(text, /^ {2}ramp step 1 of 3 \(100 users\) is in force; a person has to approve the next one$/mu);
  t.match(text, /^changes in progress\n {2}staff live: 100 % to 50 % {2}holding: waits for g2$/mu);
  t.match(
    text,
    /^trips\n {2}2026-11-21 03:00:00Z {2}staff {2}errorRate at 42 % {2}rollback, in force after 0\.4 s: turnout guard show$/mu,
  );
  t.match(text, /\nq or Ctrl-C ends it$/u);
});

void t.test('no line is wider than the terminal, and no view higher', async (t) => {
  const model = await trippedView(t);
  for (const columns of [200, 120, 80, 60, 20, 1]) {
    const lines = screenLines(model, { ...SCREEN, columns });
    t.ok(
      lines.every((line) => textOf(line).length <= columns),
      `${columns} columns`,
    );
  }
  const narrow = screenLines(model, { ...SCREEN, columns: 80 })
    .map(textOf)
    .join('\n');
  t.notMatch(narrow, /[▁-█]/u, 'without room there are no charts');
  t.match(narrow, /^ {2}new +100\/s +failed +42 % +mean +6\d ms/mu);
  for (const rows of [40, 8, 3, 1]) {
    const lines = screenLines(model, { ...SCREEN, rows });
    t.ok(lines.length <= Math.max(rows, 3), `${rows} rows`);
  }
  t.match(
    screenLines(model, { ...SCREEN, rows: 8 })
      .map(textOf)
      .join('\n'),
    /… \d+ more lines/u,
  );
  t.same(fitted([{ text: 'abc' }, { text: 'def', style: 'red' }], 4), [
    { text: 'abc' },
    { text: 'd', style: 'red' },
  ]);
});

void t.test('bars of ASCII where the terminal has no others', async (t) => {
  const text = screenLines(await trippedView(t), { ...SCREEN, plainBars: true })
    .map(textOf)
    .join('\n');
  t.notMatch(text, /[▁-█]/u);
  t.match(text, /^ {2}legacy +900\/s +#+ {2}failed/mu);
});

void t.test('a lost connection and old news are said', async (t) => {
  const model = await trippedView(t);
  const lost = { sinceMs: 1_000, why: 'No admin API.' };
  const text = screenLines(model, { ...SCREEN, nowMs: 8_000, lost })
    .map(textOf)
    .join('\n');
  t.match(text, /^Connection lost for 7s: No admin API\. Trying again\.$/mu);
  t.match(
    screenLines(model, { ...SCREEN, nowMs: 6_000 })
      .map(textOf)
      .join('\n'),
    /^Nothing new for 5s\.$/mu,
  );
  t.match(
    screenLines(new LiveModel(), SCREEN).map(textOf),
    ['Waiting for the gateway …', '', /^q/u].slice(0, 1),
  );
});

void t.test('rates fall to nothing when nobody sends anything any more', async (t) => {
  const model = await trippedView(t);
  t.equal(model.series('staff', 'new', 1_000).now.requestsPerSecond, 100);
  t.equal(model.series('staff', 'new', 21_000).now.requestsPerSecond, 0);
  t.equal(model.series('staff', 'new', 21_000).now.failedShare, undefined);
});

void t.test('an update replaces the seconds that it has, and keeps the others', async (t) => {
  const guard = new FakeGuard();
  guard.list = [cohortGuardOf('staff', { new: sideOf(many(10)) })];
  const document = await liveOf(t, guard);
  const model = new LiveModel();
  model.take(document, 0);
  const [staff] = document.guard?.cohorts ?? [];
  if (document.guard === null || staff === undefined) throw new Error('no guard');
  const last = { second: 1_059, requests: 30, failed: 0, meanLatencyMs: 5, p50LatencyMs: 5, p99LatencyMs: 5 };
  const seconds = [last, { ...last, second: 1_060, requests: 1 }];
  const next = { ...document.guard, cohorts: [{ ...staff, new: { ...staff.new, seconds } }] };
  model.take({ ...document, guard: next }, 1_000);
  t.same(model.series('staff', 'new', 1_000).requests.slice(-3), [10, 10, 30]);
  model.take({ ...document, guard: { ...next, cohorts: [{ ...staff, cohort: 'other' }] } }, 2_000);
  t.equal(model.series('staff', 'new', 2_000).now.requestsPerSecond, 0, 'a cohort that is gone is forgotten');
});

async function open(t: Test) {
  const guard = new FakeGuard();
  guard.list = [cohortGuardOf('staff', { legacy: sideOf(many(900)), new: sideOf(many(100), 42) })];
  const opened = await openAdmin(t, { guard: () => guard });
  return { guard, ...opened, env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${opened.port}`, LANG: 'C.UTF-8' } };
}

void t.test('where there is no terminal it prints a line for each cohort and second', async (t) => {
  const { env } = await open(t);
  const stop = new AbortController();
  let lines = 0;
  const ran = await run(['status', '--watch'], {
    env,
    stop: stop.signal,
    onOutput: (written) => {
      lines = written.split('\n').length - 1;
      if (lines === 2) stop.abort();
    },
  });
  t.equal(ran.code, 0);
  t.equal(lines, 2);
  t.match(
    ran.out,
    /^20\S+ \S+Z {2}staff {2}live 100 % {2}healthy {2}legacy 900\/s failed 0 % mean 6\d ms {2}new 100\/s failed 42 % mean 6\d ms\n/u,
  );
  t.notMatch(ran.out, '\u001b');
});

void t.test('as JSON it prints a document a line', async (t) => {
  const { env } = await open(t);
  const stop = new AbortController();
  const { out } = await run(['status', '--watch', '--json'], {
    env,
    stop: stop.signal,
    onOutput: () => stop.abort(),
  });
  t.match(JSON.parse(out), { status: { version: '0.1.0' }, guard: { cohorts: [{ cohort: 'staff' }] } });
});

void t.test('on a terminal it draws over what was there, and leaves it as it was', async (t) => {
  const { env } = await open(t);
  for (const key of ['q', '\u0003']) {
    let frames = 0;
    const keys: { press?: (key: string) => void } = {};
    let released = false;
    const ran = await run(['status', '--watch'], {
      env,
      isTTY: true,
      screen: { columns: 120, rows: 30 },
      keys: (pressed) => {
        keys.press = pressed;
        return () => {
          released = true;
        };
      },
      onOutput: (written) => {
        frames = written.split('\u001b[?2026h').length - 1;
        if (frames === 2) keys.press?.(key);
        else keys.press?.('x');
      },
    });
    t.equal(ran.code, 0);
    t.ok(ran.out.startsWith('\u001b[?1049h\u001b[?25l\u001b[?2026h\u001b[H'), 'another screen, no cursor');
    t.ok(ran.out.endsWith('\u001b[J\u001b[?2026l\u001b[?25h\u001b[?1049l'), 'and back');
    t.notMatch(ran.out, '\u001b[2J', 'the screen is never empty in between');
    t.match(ran.out, /failed +42 %/u);
    t.ok(released, 'the keyboard is given back');
  }
});

void t.test('a gateway that does not answer at first, or does not let in, is one plain line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  server.close();
  await once(server, 'close');
  const ran = await run(['status', '--watch'], {
    env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${port}` },
    isTTY: true,
  });
  t.match(ran, { code: 1, out: '', err: /^No admin API at .*ECONNREFUSED/u });
  const html = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(html, 'listening');
  t.teardown(() => html.close());
  const at = html.address();
  const other = typeof at === 'object' && at !== null ? at.port : 0;
  t.match(await run(['status', '--watch'], { env: { TURNOUT_ADMIN_URL: `http://127.0.0.1:${other}` } }), {
    code: 1,
    err: /not in the form of a Turnout admin API/u,
  });
});

void t.test('a lost connection is said and made again', async (t) => {
  const { admin, env } = await open(t);
  const stop = new AbortController();
  let seen = 0;
  const ran = await run(['status', '--watch'], {
    env,
    stop: stop.signal,
    onOutput: (written) => {
      const lines = written.split('\n').length - 1;
      // Streams end when tokens change; the same ones let the view in again.
      if (lines === 1 && seen === 0) admin.setTokens([]);
      seen = lines;
    },
    onError: (written) => {
      if (/Connected again\./u.test(written)) stop.abort();
    },
  });
  t.match(ran, {
    code: 0,
    err: /^Connection lost: No admin API at \S+: the gateway ended the connection\. Trying again\.\nConnected again\.\n$/u,
  });
});

void t.test('a view that may look no longer ends, and says why', async (t) => {
  const { admin, env } = await open(t);
  const ran = await run(['status', '--watch'], {
    env,
    onOutput: () => admin.setTokens([{ name: 'ops', role: 'viewer', sha256: '0'.repeat(64) }]),
  });
  t.match(ran, { code: 1, err: /Set TURNOUT_TOKEN/u });
});
