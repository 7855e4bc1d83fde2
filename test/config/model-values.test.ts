import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS } from './problems-of.ts';

const parse = (text: string) => parseConfig(text + BACKENDS);

void t.test('redis: a single server, its credentials taken from the URL or beside it', async (t) => {
  t.strictSame(parse('state: { kind: redis, url: "rediss://u:p%40ss@h:7/2" }').state, {
    kind: 'redis',
    mode: 'single',
    url: 'rediss://u:p%40ss@h:7/2',
    nodes: [],
    sentinelName: undefined,
    username: 'u',
    password: 'p@ss',
    tls: true,
    keyPrefix: 'turnout',
    userBuckets: 65_536,
    userCacheMax: 200_000,
    commandMs: 1000,
  });
  t.match(parse('state: { kind: redis, url: "redis://h", password: q }').state, {
    username: undefined,
    password: 'q',
    tls: false,
  });
});

void t.test('redis: a cluster and sentinels', async (t) => {
  t.match(parse('state: { kind: redis, mode: cluster, nodes: ["a:1", "[::1]:2"], tls: true }').state, {
    mode: 'cluster',
    url: '',
    nodes: [
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ],
    tls: true,
  });
  t.match(parse('state: { kind: redis, mode: sentinel, nodes: ["a:1"], sentinelName: main }').state, {
    mode: 'sentinel',
    sentinelName: 'main',
  });
});

void t.test('postgres, with several processes', async (t) => {
  const text =
    'workers: auto\nstate: { kind: redis, url: "redis://h" }\nrecord: { kind: postgres, url: "postgres:///db?host=/run" }';
  t.match(parse(text), {
    workers: 'auto',
    record: { kind: 'postgres', url: 'postgres:///db?host=/run', poolMax: 10, statementMs: 1000 },
  });
});

void t.test('identity: every source, header names in lower case', async (t) => {
  const text = `
identity:
  - { from: jwt, jwksUrl: "https://id.example/keys?x=1", claim: uid, header: X-Token, cookie: S, issuer: i, audience: a }
  - { from: header, name: X-User-Id, trusted: true }
  - { from: cookie, name: UID }
  - { from: path, name: user }
  - { from: query, name: u }
routes: [{ match: "/u/:user/*" }]`;
  t.strictSame(parse(text).identity, [
    {
      from: 'jwt',
      claim: 'uid',
      header: 'x-token',
      cookie: 'S',
      key: { kind: 'jwks', url: 'https://id.example/keys?x=1', cacheMs: 600_000, cooldownMs: 30_000 },
      algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
      issuer: 'i',
      audience: 'a',
      clockToleranceMs: 5000,
    },
    { from: 'header', name: 'x-user-id' },
    { from: 'cookie', name: 'UID' },
    { from: 'path', name: 'user' },
    { from: 'query', name: 'u' },
  ]);
});

void t.test('cohorts: what is left out, and every form of a rule', async (t) => {
  const text = `
cohorts:
  - { name: plain }
  - name: full
    default: true
    stage: dualwrite
    ramp: 12.34%
    salt: s
    migration: per-user
    mirror: false
    rule:
      all:
        - { attribute: header.X-Plan, in: [a, b] }
        - any: [{ attribute: claim.org.id, prefix: x }, { attribute: user, exists: true }]
        - not: { attribute: cookie.C, exists: true }`;
  t.strictSame(parse(text).cohorts, [
    {
      name: 'plain',
      stage: 'off',
      ramp: { kind: 'percent', buckets: 10_000 },
      salt: 'plain',
      rule: undefined,
      isDefault: false,
      migration: 'cohort',
      mirror: true,
    },
    {
      name: 'full',
      stage: 'dualwrite',
      ramp: { kind: 'percent', buckets: 1234 },
      salt: 's',
      rule: {
        kind: 'all',
        rules: [
          { kind: 'in', attribute: { source: 'header', name: 'x-plan' }, values: ['a', 'b'] },
          {
            kind: 'any',
            rules: [
              { kind: 'prefix', attribute: { source: 'claim', name: 'org.id' }, prefix: 'x' },
              { kind: 'exists', attribute: { source: 'user', name: '' } },
            ],
          },
          {
            kind: 'not',
            rule: { kind: 'exists', attribute: { source: 'cookie', name: 'C' } },
          },
        ],
      },
      isDefault: true,
      migration: 'per-user',
      mirror: false,
    },
  ]);
});

void t.test('a rule may be eight deep', async (t) => {
  const rule = `${'{ any: ['.repeat(7)}{ attribute: user, exists: true }${'] }'.repeat(7)}`;
  t.equal(parse(`cohorts: [{ name: a, rule: ${rule} }]`).cohorts[0]?.rule?.kind, 'any');
});

void t.test('every share with two decimals is exactly its number of buckets', async (t) => {
  for (let buckets = 0; buckets <= 10_000; buckets += 7) {
    const text = `cohorts: [{ name: a, ramp: "${(buckets / 100).toFixed(2)}%" }]`;
    const ramp = parse(text).cohorts[0]?.ramp;
    if (ramp?.kind !== 'percent' || ramp.buckets !== buckets) t.fail(text);
  }
  t.strictSame(parse('cohorts: [{ name: a, ramp: 0 }]').cohorts[0]?.ramp, { kind: 'count', count: 0 });
});

void t.test('routes: what is left out, and what is written', async (t) => {
  const text = `
routes:
  - { match: /plain/* }
  - { match: /search, methods: [POST, QUERY], class: read, requireUser: true }
  - { match: /static/*, backend: legacy, name: pictures }
  - { match: /none, shadow: { sample: 0 } }
  - match: /api/*
    mirror: true
    shadow:
      sample: 0.5
      compare:
        ignore: ["$.at"]
        arrays: { "$.items": { key: sku } }
        headers: [Content-Type]`;
  const plain = {
    name: '/plain/*',
    match: '/plain/*',
    methods: [],
    class: undefined,
    backend: undefined,
    shadow: false,
    shadowSample: 0,
    compare: undefined,
    mirror: false,
    requireUser: false,
  };
  t.strictSame(parse(text).routes, [
    plain,
    {
      ...plain,
      name: 'POST,QUERY /search',
      match: '/search',
      methods: ['POST', 'QUERY'],
      class: 'read',
      requireUser: true,
    },
    { ...plain, name: 'pictures', match: '/static/*', backend: 'legacy' },
    { ...plain, name: '/none', match: '/none' },
    {
      ...plain,
      name: '/api/*',
      match: '/api/*',
      mirror: true,
      shadow: true,
      shadowSample: 0.5,
      compare: { ignore: ['$.at'], arrays: { '$.items': { key: 'sku' } }, headers: ['content-type'] },
    },
  ]);
});

void t.test('an admin API on every address is fine with a token', async (t) => {
  const text = `admin: { listen: { host: "::" }, tokens: [{ name: a, role: admin, tokenHash: "${'0'.repeat(64)}" }] }`;
  t.equal(parse(text).admin.listen.host, '::');
});
