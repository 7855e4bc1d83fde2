import t from 'tap';
import { compareForReload } from '../../src/config/compare-for-reload.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ConfigSchema } from '../../src/config/schema.ts';
import { BACKENDS } from './problems-of.ts';

const current = parseConfig(BACKENDS);
const planOf = (text: string) => compareForReload(current, parseConfig(text + BACKENDS));

void t.test('the same configuration changes nothing', async (t) => {
  t.strictSame(planOf('# a comment'), { applied: [], needsRestart: [], notes: [] });
});

void t.test('each part is either taken over or asks for a restart', async (t) => {
  const applied: [string, string][] = [
    ['admin: { tokens: [{ name: a, role: viewer, token: a-token-of-24-characters }] }', 'admin.tokens'],
    ['identity: [{ from: cookie, name: uid }]', 'identity'],
    ['anonymous: new', 'anonymous'],
    ['routes: [{ match: /a }]', 'routes'],
    ['shadow: { deadlineMs: 1 }', 'shadow'],
    ['guard: { minRequests: 1 }', 'guard'],
    ['cutover: { holdMaxMs: 6000 }', 'cutover'],
    ['limits: { headMs: 500 }', 'limits'],
    ['forwarding: { exposeHeaders: true }', 'forwarding'],
    ['log: { level: debug }', 'log'],
    ['log: { accessSample: 1 }', 'log'],
    ['shutdown: { graceMs: 1 }', 'shutdown'],
  ];
  for (const [text, part] of applied) {
    t.strictSame(planOf(text), { applied: [part], needsRestart: [], notes: [] }, text);
  }
  const restarted: [string, string][] = [
    ['listen: { port: 1 }', 'listen'],
    ['admin: { listen: { port: 1 } }', 'admin.listen'],
    ['state: { kind: embedded, userCacheMax: 1 }', 'state'],
    ['record: { kind: embedded, dir: other }', 'record'],
  ];
  for (const [text, part] of restarted) {
    t.strictSame(planOf(text), { applied: [], needsRestart: [part], notes: [] }, text);
  }
});

void t.test('backends and workers ask for a restart; several differences are all told', async (t) => {
  const next = parseConfig(`
backends: { legacy: { url: "http://a:1", connectMs: 5 }, new: { url: "http://b:2" } }
workers: 2
state: { kind: redis, url: "redis://h" }
record: { kind: postgres, url: "postgres://h/db" }
log: { level: warn }`);
  t.strictSame(compareForReload(current, next), {
    applied: ['log'],
    needsRestart: ['workers', 'backends', 'state', 'record'],
    notes: [],
  });
});

void t.test('cohorts are only seeds, and it is said', async (t) => {
  const plan = planOf('cohorts: [{ name: staff }]');
  t.match(plan, { applied: [], needsRestart: [] });
  t.match(plan.notes, [/^cohorts differ, .* only seeds cohorts that the state map does not have/]);
  t.equal(plan.notes.length, 1);
});

void t.test('no part of the configuration is forgotten', async (t) => {
  const other = parseConfig(`
listen: { port: 1 }
workers: 2
admin: { listen: { port: 2 }, tokens: [{ name: a, role: viewer, token: a-token-of-24-characters }] }
backends: { legacy: { url: "http://c" }, new: { url: "http://d" } }
state: { kind: redis, url: "redis://h" }
record: { kind: postgres, url: "postgres://h/db" }
identity: [{ from: cookie, name: uid }]
anonymous: new
cohorts: [{ name: a }]
routes: [{ match: /a }]
shadow: { deadlineMs: 1 }
guard: { minRequests: 1 }
cutover: { holdMaxMs: 6000 }
limits: { headMs: 500 }
forwarding: { via: x }
log: { level: warn }
shutdown: { graceMs: 1 }`);
  const plan = compareForReload(current, other);
  const told = [...plan.applied, ...plan.needsRestart].map((part) => part.split('.')[0]);
  t.strictSame(
    Object.keys(ConfigSchema.properties).filter((key) => !told.includes(key)),
    ['cohorts'],
  );
});
