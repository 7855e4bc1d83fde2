import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { BACKENDS, problemsOf } from './problems-of.ts';

const SECRET = 'hunter2';

/** Mistakes around secrets, each with the secret written where it must not be shown. */
const WRONG = [
  `admin: { tokens: [{ name: a, role: viewer, token: ${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: [${SECRET}] }] }`,
  `admin: { tokens: [{ name: a, role: viewer, tokenHash: ${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: "${SECRET} ${SECRET} ${SECRET}" }] }`,
  `admin: { tokens: [{ name: a, role: viewer, ${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, ${SECRET}, ${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, tokn: ${SECRET} }] }`,
  `admin: { tokens: [${SECRET}] }`,
  `admin: { tokens: ${SECRET} }`,
  `admin: ${SECRET}`,
  `identity: [{ from: jwt, secret: ${SECRET} }]`,
  `identity: [{ from: jwt, jwksUrl: "http://u:${SECRET}@h" }]`,
  `identity: [{ from: jwt, ${SECRET} }]`,
  `state: { kind: redis, url: "redis//:${SECRET}@h" }`,
  `state: { kind: redis, url: "redis://:${SECRET}@h/x" }`,
  `state: { kind: redis, mode: cluster, nodes: ["${SECRET}@h"] }`,
  `state: { kind: redis, url: "redis://u:${SECRET}@h", password: ${SECRET} }`,
  `state: { kind: redis, url: "redis://u:%${SECRET}@h" }`,
  `state: redis://:${SECRET}@h`,
  `record: { kind: postgres, url: "postgre://u:${SECRET}@h" }`,
  `log: { level: "\${PASSWORD}" }`,
  `limits: { headMs: "\${PASSWORD}" }`,
  `anonymous: "\${PASSWORD:-x}"`,
  `state: { kind: "\${PASSWORD}" }`,
  `cohorts: [{ name: "\${PASSWORD}!" }]`,
  `admin: { tokens: [{ name: a, role: viewer, token: ${SECRET}: ${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: "${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: @${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: *${SECRET} }] }`,
  `admin: { tokens: [{ name: a, role: viewer, token: !${SECRET} x }] }`,
];

void t.test('no problem shows a secret', async (t) => {
  for (const text of WRONG) {
    try {
      parseConfig(text + BACKENDS, { env: { PASSWORD: SECRET } });
      t.fail(`${text} is accepted`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      t.notMatch(JSON.stringify(error.problems), SECRET, text);
      t.notMatch(`${error.message} ${error.stack}`, SECRET, text);
    }
  }
});

void t.test('a word without a value among tokens is not shown: it may be the token', async (t) => {
  const lines = problemsOf(`admin: { tokens: [{ name: a, role: viewer, correcthorse }] }${BACKENDS}`);
  t.match(lines[0], /^1:44 {2}admin\.tokens\[0\]: unknown key; expected one of name, role, /);
  t.notMatch(lines.join(), 'correcthorse');
});

void t.test('numbers where secrets belong are not shown either', async (t) => {
  try {
    parseConfig(`admin: { tokens: [{ name: a, role: viewer, token: 1234567 }] }${BACKENDS}`);
    t.fail('a number is no token');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    t.notMatch(JSON.stringify(error.problems), '1234567');
  }
});

void t.test('tokens are kept as hashes only, whichever way they are given', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'turnout-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const token = 'a-token-of-24-characters';
  const file = join(dir, 'token');
  writeFileSync(file, `${token}\n`);
  // `printf %s a-token-of-24-characters | sha256sum`
  const sha256 = '84b9b41d13c3c260a67edeb62da19a57502327cb6b72ce5acbb7483f6c36edf9';
  const config = parseConfig(
    `admin:
  tokens:
    - { name: a, role: viewer, token: "\${TOKEN}" }
${BACKENDS}`,
    { env: { TOKEN: token } },
  );
  t.strictSame(config.admin.tokens, [{ name: 'a', role: 'viewer', sha256 }]);
  const same = (key: string, value: string) =>
    parseConfig(`admin: { tokens: [{ name: a, role: viewer, ${key}: ${JSON.stringify(value)} }] }${BACKENDS}`)
      .admin.tokens;
  t.strictSame(same('tokenFile', file), config.admin.tokens);
  t.strictSame(same('tokenHash', sha256.toUpperCase()), config.admin.tokens);
  t.strictSame(same('tokenHash', `sha256:${sha256}`), config.admin.tokens);
  t.notMatch(JSON.stringify(config), token);
});

void t.test('a JWT secret in a file loses the line break at its end and nothing else', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'turnout-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'secret');
  const secret = ` ${'ä'.repeat(16)} `;
  writeFileSync(file, `${secret}\r\n`);
  const text = `identity: [{ from: jwt, secretFile: ${JSON.stringify(file)} }]${BACKENDS}`;
  t.strictSame(parseConfig(text).identity[0], {
    from: 'jwt',
    key: { kind: 'secret', secret },
    algorithms: ['HS256'],
    claim: 'sub',
    header: 'authorization',
    cookie: undefined,
    issuer: undefined,
    audience: undefined,
    clockToleranceMs: 5000,
  });
  writeFileSync(file, Buffer.alloc(40, 0xff));
  t.strictSame(problemsOf(text), ['1:25  identity[0].secretFile: this file cannot be used: it is not UTF-8']);
  writeFileSync(file, Buffer.alloc(70_000, 0x61));
  t.strictSame(problemsOf(text), [
    '1:25  identity[0].secretFile: this file cannot be used: it is larger than 65536 bytes',
  ]);
});
