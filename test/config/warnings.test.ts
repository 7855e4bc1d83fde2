import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { formatLines } from '../../src/config/problem.ts';
import { BACKENDS, meetsLines } from './problems-of.ts';

function warningsOf(text: string): string[] {
  const { warnings } = parseConfig(text, { file: 'f', env: { SECRET: 's'.repeat(32) } });
  return warnings.length === 0 ? [] : formatLines('f', warnings).split('\n');
}

const CLEAR =
  'written here in clear: whoever reads this file has it; take it from the environment (${NAME}) or from a file';

void t.test('secrets in clear are warned of, secrets from the environment are not', async (t) => {
  const text = `admin:
  tokens:
    - { name: a, role: viewer, token: a-token-of-24-characters }
    - { name: b, role: viewer, token: "\${SECRET}" }
identity:
  - { from: jwt, secret: ${'s'.repeat(32)} }
  - { from: jwt, secret: "\${SECRET}" }`;
  t.strictSame(warningsOf(text + BACKENDS), [
    `f:3:32  admin.tokens[0].token: ${CLEAR}`,
    `f:6:18  identity[0].secret: ${CLEAR}`,
  ]);
});

void t.test('a secret that is only the default of a variable stands in clear', async (t) => {
  const text = `admin: { tokens: [{ name: a, role: viewer, token: "\${UNSET:-a-token-of-24-characters}" }] }`;
  t.strictSame(warningsOf(text + BACKENDS), [`f:1:44  admin.tokens[0].token: ${CLEAR}`]);
});

void t.test('a certificate that nobody verifies, where there is one', async (t) => {
  const text = `backends:
  legacy: { url: "https://a", tls: { verify: false } }
  new: { url: "http://b", tls: { verify: false } }`;
  meetsLines(t, warningsOf(text), [
    /^f:2:38 {2}backends\.legacy\.tls\.verify: the certificate of this backend is not verified/,
  ]);
});

void t.test('two backends at one address', async (t) => {
  const text = 'backends: { legacy: { url: "http://a/x" }, new: { url: "http://a/x/" } }';
  meetsLines(t, warningsOf(text), [/^f:1:51 {2}backends\.new\.url: the same address as `backends\.legacy`/]);
});

void t.test('keys of a JWT issuer over plain http, unless it is on this machine', async (t) => {
  const text = `identity:
  - { from: jwt, jwksUrl: "http://id.example" }
  - { from: jwt, jwksUrl: "http://localhost:9" }
  - { from: jwt, jwksUrl: "http://[::1]:9" }
  - { from: jwt, jwksUrl: "https://id.example" }`;
  meetsLines(t, warningsOf(text + BACKENDS), [/^f:2:18 {2}identity\[0\]\.jwksUrl: the keys come over http/]);
});

void t.test('a stage that asks for what this version does not send', async (t) => {
  const cohorts = `cohorts:
  - { name: a, stage: "off" }
  - { name: b, stage: dualwrite }
  - { name: c, stage: live }
  - { name: d, stage: rampdown, mirror: false }
  - { name: e, stage: complete }\n`;
  const warning = (line: number, index: number, stage: string) =>
    `f:${line}:16  cohorts[${index}].stage: \`${stage}\` asks for mirrored writes on some routes; this version sends none yet`;
  t.strictSame(warningsOf(cohorts + BACKENDS), [], 'no route asks for any');
  t.strictSame(warningsOf(`${cohorts}routes: [{ match: /*, mirror: true, shadow: {} }]${BACKENDS}`), [
    warning(3, 1, 'dualwrite'),
    warning(4, 2, 'live'),
  ]);
  t.strictSame(warningsOf(`${cohorts}routes: [{ match: /*, shadow: {} }]${BACKENDS}`), []);
});

void t.test('the guard: conditions and gates on a backlog that there is not yet', async (t) => {
  const text = `guard:
  action: warn
  conditions: [{ metric: mirrorBacklog, over: 5 }, { metric: p99LatencyMs, over: 5 }]
  ramps: { slowly: { steps: [{ ramp: 1% }], gates: { mirrorBacklogMax: 0 } } }`;
  meetsLines(t, warningsOf(text + BACKENDS), [
    /^f:3:18 {2}guard\.conditions\[0\]\.metric: this version mirrors no writes yet: .* never trips/,
    /^f:4:54 {2}guard\.ramps\.slowly\.gates\.mirrorBacklogMax: this version .* never opens/,
  ]);
});

void t.test('hooks: a secret in clear, and none where others could call the receiver too', async (t) => {
  const text = `guard:
  hooks:
    - { url: "https://a", secret: ${'s'.repeat(16)} }
    - { url: "https://b", secret: "\${SECRET}" }
    - { url: "https://c" }
    - { url: "http://127.0.0.1:1" }`;
  meetsLines(t, warningsOf(text + BACKENDS), [
    /^f:3:27 {2}guard\.hooks\[0\]\.secret: written here in clear/,
    /^f:5:7 {2}guard\.hooks\[2\]: no `secret`/,
  ]);
});

void t.test(
  'rules without a default cohort leave users whom an attribute moves without a hold',
  async (t) => {
    const rule = '{ name: staff, rule: { attribute: header.x-plan, in: [staff] } }';
    meetsLines(t, warningsOf(`cohorts: [${rule}]${BACKENDS}`), [
      /^f:1:1 {2}cohorts: there are rules and no default/,
    ]);
    t.strictSame(warningsOf(`cohorts: [${rule}, { name: rest, default: true }]${BACKENDS}`), []);
    t.strictSame(warningsOf(`cohorts: [{ name: vip }]${BACKENDS}`), []);
  },
);
