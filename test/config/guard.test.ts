import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { guardSettings } from '../../src/guard/guard-settings.ts';
import { BACKENDS, problemsOf, testWrong } from './problems-of.ts';

const guardOf = (text: string) => parseConfig(`guard: ${text}${BACKENDS}`).guard;

const METRICS =
  'errorRate, meanLatencyMs, p50LatencyMs, p90LatencyMs, p99LatencyMs, stalledShare, mismatchShare, mirrorBacklog';

void t.test('without a word the guard watches errors, the mean and what gets no answer', async (t) => {
  const guard = parseConfig(BACKENDS).guard;
  t.strictSame(
    guard.conditions.map(({ name, metric, over, overLegacy, action, cohorts }) => [
      name,
      metric,
      over,
      overLegacy,
      action,
      cohorts,
    ]),
    [
      ['errorRate', 'errorRate', 0.05, 1.5, 'rollback', undefined],
      ['meanLatencyMs', 'meanLatencyMs', 1000, 1.2, 'rollback', undefined],
      ['stalledShare', 'stalledShare', 0.5, undefined, 'rollback', undefined],
    ],
  );
  t.strictSame(guard.fallback, { enabled: true, share: 0.2, inFlightMin: 3, waitMs: 1000 });
  t.equal(guard.cooldownMs, 600_000);
  t.strictSame(guard.failures, ['connect', 'timeout', 'reset', 'status', 'overload']);
  const { windowMs, errorRate, meanLatencyMs, minRequests, action } = guard;
  t.strictSame(
    guardSettings(guard),
    guardSettings({ windowMs, errorRate, meanLatencyMs, minRequests, action }),
    'the settings are the same as those made of the short keys alone',
  );
});

void t.test("a condition has the guard's own values where it has none", async (t) => {
  const guard = guardOf(`
  windowMs: 10000
  minRequests: 7
  action: warn
  conditions:
    - { metric: p99LatencyMs, over: 800, cohorts: [beta] }
    - { name: x, metric: mismatchShare, over: 0.01, windowMs: 60000, minRequests: 9, windows: { over: 1, of: 1 }, confidence: 0.9, action: hold }`);
  t.strictSame(guard.conditions.slice(3), [
    {
      name: 'p99LatencyMs',
      metric: 'p99LatencyMs',
      over: 800,
      overLegacy: undefined,
      windowMs: 10_000,
      minRequests: 7,
      windows: { over: 3, of: 5 },
      confidence: 0.99,
      action: 'warn',
      cohorts: ['beta'],
    },
    {
      name: 'x',
      metric: 'mismatchShare',
      over: 0.01,
      overLegacy: undefined,
      windowMs: 60_000,
      minRequests: 9,
      windows: { over: 1, of: 1 },
      confidence: 0.9,
      action: 'hold',
      cohorts: undefined,
    },
  ]);
});

void t.test(
  'a condition of every cohort replaces that of its metric, one of some cohorts joins it',
  async (t) => {
    const names = (text: string) => guardOf(text).conditions.map(({ name, over }) => `${name} ${over}`);
    t.strictSame(names('{ conditions: [{ metric: errorRate, over: 0.01 }] }'), [
      'meanLatencyMs 1000',
      'stalledShare 0.5',
      'errorRate 0.01',
    ]);
    t.strictSame(names('{ conditions: [{ name: strict, metric: errorRate, over: 0.01, cohorts: [vip] }] }'), [
      'errorRate 0.05',
      'meanLatencyMs 1000',
      'stalledShare 0.5',
      'strict 0.01',
    ]);
  },
);

void t.test('hooks take their secret from the environment or from a file', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'turnout-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'secret'), `${'f'.repeat(16)}\n`);
  const text = `guard:
  hooks:
    - { url: "https://chat.example/x?y=1", secret: "\${HOOK}" }
    - { url: "http://127.0.0.1:9", secretFile: "${dir}/secret", events: [trip] }${BACKENDS}`;
  t.strictSame(parseConfig(text, { env: { HOOK: 'e'.repeat(20) } }).guard.hooks, [
    {
      url: 'https://chat.example/x?y=1',
      secret: 'e'.repeat(20),
      events: ['trip', 'in-force', 'cleared', 'ramp'],
    },
    { url: 'http://127.0.0.1:9/', secret: 'f'.repeat(16), events: ['trip'] },
  ]);
});

void t.test('plans: numbers of users, then shares; a person approves unless it says otherwise', async (t) => {
  const { ramps } = guardOf(`
  ramps:
    slowly: { steps: [{ ramp: 100, bakeMs: 0 }, { ramp: 1000 }, { ramp: 10% }, { ramp: 100% }] }
    quick: { automatic: true, steps: [{ ramp: 0.01% }], gates: { guard: any, mismatchShareMax: 0.5, comparedMin: 7 } }`);
  t.strictSame(ramps, {
    slowly: {
      steps: [
        { ramp: { kind: 'count', count: 100 }, bakeMs: 0 },
        { ramp: { kind: 'count', count: 1000 }, bakeMs: 600_000 },
        { ramp: { kind: 'percent', buckets: 1000 }, bakeMs: 600_000 },
        { ramp: { kind: 'percent', buckets: 10_000 }, bakeMs: 600_000 },
      ],
      gates: {
        guard: 'healthy',
        mismatchShareMax: undefined,
        comparedMin: undefined,
        mirrorBacklogMax: undefined,
      },
      automatic: false,
    },
    quick: {
      steps: [{ ramp: { kind: 'percent', buckets: 1 }, bakeMs: 600_000 }],
      gates: { guard: undefined, mismatchShareMax: 0.5, comparedMin: 7, mirrorBacklogMax: undefined },
      automatic: true,
    },
  });
});

testWrong(t, [
  {
    name: 'an unknown metric is refused, the known ones named, the nearest suggested',
    text: 'guard: { conditions: [{ metric: errorrate, over: 1 }, { metric: cpu, over: 1 }, { over: 1 }] }',
    problems: [
      `1:25  guard.conditions[0].metric: expected one of ${METRICS}; found "errorrate"; did you mean \`errorRate\`?`,
      `1:57  guard.conditions[1].metric: expected one of ${METRICS}; found "cpu"`,
      `1:81  guard.conditions[2].metric: missing; expected one of ${METRICS}`,
    ],
  },
  {
    name: 'conditions without a threshold, with one that cannot be, with windows that cannot be',
    text: `guard:
  conditions:
    - { metric: errorRate }
    - { name: a, metric: errorRate, over: 5 }
    - { name: b, metric: mismatchShare, overLegacy: 2 }
    - { name: c, metric: p99LatencyMs, over: 3600001 }
    - { name: d, metric: p50LatencyMs, over: 1, windows: { over: 4, of: 3 } }
    - { name: e, metric: p50LatencyMs, ovr: 1 }`,
    problems: [
      '3:7  guard.conditions[0].over: missing; expected `over` (a threshold), `overLegacy` (a factor of what legacy has), or both',
      '4:37  guard.conditions[1].over: errorRate is a share; expected a number from 0 to 1',
      '5:41  guard.conditions[2].overLegacy: legacy has no mismatchShare to compare with; use `over`',
      '6:40  guard.conditions[3].over: p99LatencyMs is milliseconds; expected a number from 0 to 3600000',
      '7:49  guard.conditions[4].windows: `over` is at most `of`: so many of the last `of` windows',
      '8:40  guard.conditions[5].ovr: unknown key; did you mean `over`?',
    ],
  },
  {
    name: 'two conditions of one name, and one that has the name of what is there anyway',
    text: `guard:
  conditions:
    - { metric: p99LatencyMs, over: 1 }
    - { metric: p99LatencyMs, over: 2, cohorts: [a] }
    - { metric: stalledShare, over: 0.1, cohorts: [a] }`,
    problems: [
      '4:7  guard.conditions[1].name: conditions[0] is named `p99LatencyMs` too; give one of them another `name`',
      '5:7  guard.conditions[2].name: `stalledShare` is the condition that the guard has for every cohort; give this one another `name`',
    ],
  },
  {
    name: 'plans that shrink, stand still, admit nobody, or go from shares to numbers',
    text: `guard:
  ramps:
    a: { steps: [{ ramp: 10% }, { ramp: 5% }] }
    b: { steps: [{ ramp: 100 }, { ramp: 100 }] }
    c: { steps: [{ ramp: 0% }] }
    d: { steps: [{ ramp: 10% }, { ramp: 1000 }] }
    e: { steps: [] }
    F: { steps: [{ ramp: 1 }] }
    g: { stps: [] }`,
    problems: [
      '3:35  guard.ramps.a.steps[1].ramp: each step is larger than the one before: a plan never takes users back',
      '4:35  guard.ramps.b.steps[1].ramp: each step is larger than the one before: a plan never takes users back',
      '5:20  guard.ramps.c.steps[0].ramp: a step admits somebody: 0 is no step',
      '6:35  guard.ramps.d.steps[1].ramp: numbers of users come before shares: nobody can say whether this is more than the step before',
      '7:10  guard.ramps.e.steps: expected a list of 1 to 100 steps such as { ramp: 10%, bakeMs: 600000 }; found an empty list',
      '8:5  guard.ramps.F: the name of a plan is 1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit',
      '9:5  guard.ramps.g.steps: missing; expected a list of 1 to 100 steps such as { ramp: 10%, bakeMs: 600000 }',
      '9:10  guard.ramps.g.stps: unknown key; did you mean `steps`?',
    ],
  },
  {
    name: 'hooks that cannot be called, twice, with two secrets, with one that is too short',
    text: `guard:
  hooks:
    - { url: "ftp://h" }
    - { url: "http://h", secret: "sixteen bytes: x", secretFile: /nowhere }
    - { url: "http://i", secret: short }
    - { url: "http://j", secretFile: /nowhere }
    - { url: "http://k" }
    - { url: "http://k/" }
    - { url: "http://l", events: [trp] }`,
    problems: [
      '3:9  guard.hooks[0].url: expected an http or https URL such as http://127.0.0.1:9001',
      '4:7  guard.hooks[1]: expected at most one of secret, secretFile; found both',
      '5:26  guard.hooks[2].secret: expected a secret of at least 16 bytes; found 5',
      '6:26  guard.hooks[3].secretFile: this file cannot be used: it does not exist',
      '8:9  guard.hooks[5].url: the same address as hooks[4]',
      '9:35  guard.hooks[6].events[0]: expected one of trip, in-force, cleared, ramp; found "trp"; did you mean `trip`?',
    ],
  },
  {
    name: 'failures of no known kind, twice, none; a misspelt key',
    text: 'guard: { failures: [conect, status, status], falback: {} }',
    problems: [
      '1:21  guard.failures[0]: expected one of connect, timeout, reset, status, overload; found "conect"; did you mean `connect`?',
      '1:37  guard.failures[2]: the same as guard.failures[1]',
      '1:46  guard.falback: unknown key; did you mean `fallback`?',
    ],
  },
]);

void t.test("a hook's address and secret are never shown", async (t) => {
  for (const text of [
    'guard: { hooks: [{ url: "ftp://hunter2" }] }',
    'guard: { hooks: [{ url: "http://u:hunter2@h" }] }',
    'guard: { hooks: [{ url: "http://h", secret: hunter2 }] }',
    'guard: { hooks: [{ url: "http://h", secret: [hunter2] }] }',
    'guard: { hooks: [{ url: "http://h", hunter2 }] }',
    'guard: { hooks: [hunter2] }',
  ]) {
    const lines = problemsOf(text + BACKENDS);
    t.ok(lines.length > 0, text);
    t.notMatch(lines.join('\n'), 'hunter2', text);
  }
});
