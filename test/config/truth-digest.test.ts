import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { truthDigest } from '../../src/config/truth-digest.ts';
import { BACKENDS } from './problems-of.ts';

const ROUTE = 'match: /api/*, methods: [GET, POST], class: read';
const JWT = `from: jwt, secret: ${'s'.repeat(32)}, algorithms: [HS256, HS384]`;

const text = (route: string, jwt: string, more = ''): string =>
  `routes: [{ ${route} }, { match: /* }]\nidentity: [{ ${jwt} }, { from: cookie, name: uid }]\n${more}${BACKENDS}`;
const digest = (...parts: Parameters<typeof text>): string => truthDigest(parseConfig(text(...parts)));

const base = digest(ROUTE, JWT);

void t.test('it is a SHA-256 in hex, and the same for the same configuration', async (t) => {
  t.match(base, /^[0-9a-f]{64}$/);
  t.equal(digest(ROUTE, JWT), base);
});

void t.test('it survives the way to another process', async (t) => {
  t.equal(truthDigest(structuredClone(parseConfig(text(ROUTE, JWT)))), base);
  t.equal(truthDigest(JSON.parse(JSON.stringify(parseConfig(text(ROUTE, JWT))))), base);
});

void t.test('what moves nobody leaves it as it is', async (t) => {
  const same = [
    digest(`${ROUTE}, name: other`, JWT),
    digest(`${ROUTE}, requireUser: true`, JWT),
    digest(`${ROUTE}, shadow: { sample: 0.5 }`, JWT),
    digest(ROUTE.replace('GET, POST', 'POST, GET'), JWT),
    digest(ROUTE, JWT.replace('HS256, HS384', 'HS384, HS256')),
    digest(ROUTE, `${JWT}, header: Authorization`),
    digest(ROUTE, JWT, 'log: { level: debug }\ncutover: { holdMaxMs: 9000 }\nlisten: { port: 1 }'),
    digest(ROUTE, JWT, 'cohorts: [{ name: a, default: true, stage: live }]'),
  ];
  for (const other of same) t.equal(other, base);
});

void t.test('what decides where a request goes changes it', async (t) => {
  const different = [
    digest(ROUTE.replace('/api/*', '/api'), JWT),
    digest(ROUTE.replace('GET, ', ''), JWT),
    digest(ROUTE.replace('class: read', 'class: write'), JWT),
    digest(ROUTE.replace(', class: read', ''), JWT),
    digest(`${ROUTE}, backend: legacy`, JWT),
    digest(`${ROUTE}, backend: new`, JWT),
    digest(ROUTE.replace('read', 'write, mirror: true'), JWT),
    digest(`${ROUTE} }, { match: /more`, JWT),
    digest(ROUTE, JWT.replace(/s{32}/, 'S'.repeat(32))),
    digest(ROUTE, JWT.replace('HS384', 'HS512')),
    digest(ROUTE, `${JWT}, claim: email`),
    digest(ROUTE, `${JWT}, header: x-token`),
    digest(ROUTE, `${JWT}, cookie: session`),
    digest(ROUTE, `${JWT}, issuer: a`),
    digest(ROUTE, `${JWT}, audience: a`),
    digest(ROUTE, `${JWT}, clockToleranceMs: 0`),
    digest(ROUTE, 'from: jwt, jwksUrl: "https://a"'),
    digest(ROUTE, 'from: jwt, jwksUrl: "https://b"'),
    digest(ROUTE, 'from: query, name: uid'),
    digest(ROUTE, JWT, 'anonymous: new'),
  ];
  t.equal(new Set([base, ...different]).size, different.length + 1);
});

void t.test('the order of routes and of sources counts', async (t) => {
  const config = parseConfig(text(ROUTE, JWT));
  t.not(truthDigest({ ...config, routes: config.routes.toReversed() }), base);
  t.not(truthDigest({ ...config, identity: config.identity.toReversed() }), base);
});
