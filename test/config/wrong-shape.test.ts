import t from 'tap';
import { BACKENDS, problemsOf, testWrong } from './problems-of.ts';

const TOP =
  'listen, workers, admin, backends, state, record, identity, anonymous, cohorts, routes, shadow, guard, cutover, limits, forwarding, log, shutdown';

testWrong(t, [
  {
    name: 'a misspelt key is told the nearest known one',
    text: 'listen: { prot: 80 }\nlimits:\n  head_ms: 500\ncutovr: {}',
    problems: [
      '1:11  listen.prot: unknown key; did you mean `port`?',
      '3:3  limits.head_ms: unknown key; did you mean `headMs`?',
      '4:1  cutovr: unknown key; did you mean `cutover`?',
    ],
  },
  {
    name: 'an unknown key that is near to none is told them all',
    text: 'color: red',
    problems: [`1:1  color: unknown key; expected one of ${TOP}`],
  },
  {
    name: 'a key of another variant',
    text: 'state: { kind: embedded, url: "redis://h" }',
    problems: ['1:26  state.url: unknown key for `kind: embedded`; expected one of kind, userCacheMax'],
  },
  {
    name: 'a number out of bounds, of the wrong kind, or no number',
    text: 'limits:\n  headMs: 99\n  headersMax: 1.5\n  keepAliveMs: 10s\n  connectionsMax: -1\nlog: { accessSample: .nan }',
    problems: [
      '2:3  limits.headMs: expected whole milliseconds from 100 to 600000; found the number 99',
      '3:3  limits.headersMax: expected a whole number from 1 to 10000; found the number 1.5',
      '4:3  limits.keepAliveMs: expected whole milliseconds from 1 to 3600000; found "10s"',
      '5:3  limits.connectionsMax: expected a whole number from 1 to 1000000; found the number -1',
      '6:8  log.accessSample: expected a number from 0 to 1; found the number NaN',
    ],
  },
  {
    name: 'nothing, or something else, where a mapping or a list belongs',
    text: 'limits:\nlog: 5\nroutes: {}\ncohorts: [staff]\nadmin: [1, 2]',
    problems: [
      '1:1  limits: expected a mapping; found nothing',
      '2:1  log: expected a mapping; found a number',
      '3:1  routes: expected a list; found a mapping',
      '4:11  cohorts[0]: expected a mapping; found text',
      '5:1  admin: expected a mapping; found a list of 2',
    ],
  },
  {
    name: 'a boolean in the words of another language',
    text: 'forwarding: { exposeHeaders: yes }',
    problems: ['1:15  forwarding.exposeHeaders: expected true or false; found "yes"'],
  },
  {
    name: 'one of a few words, misspelt',
    text: 'log: { level: wran }\nanonymous: old',
    problems: [
      '1:8  log.level: expected one of debug, info, warn, error; found "wran"; did you mean `warn`?',
      '2:1  anonymous: expected one of legacy, new; found "old"',
    ],
  },
  {
    name: 'the key that chooses the variant: missing, wrong, of the wrong type',
    text: 'state: { url: x }\nrecord: { kind: postgers }\nidentity: [{ name: x }, { from: [jwt] }, cookie]',
    problems: [
      '1:1  state.kind: missing; expected one of embedded, redis',
      '2:11  record.kind: expected one of embedded, postgres; found "postgers"; did you mean `postgres`?',
      '3:12  identity[0].from: missing; expected one of jwt, header, cookie, path, query',
      '3:27  identity[1].from: expected one of jwt, header, cookie, path, query; found a list of 1',
      '3:42  identity[2]: expected a mapping with `from`; found text',
    ],
  },
  {
    name: 'two types in one place make one problem',
    text: 'workers: many\nroutes: [{ match: /a, shadow: sometimes }, { match: /b, shadow: { sample: 2 } }]',
    problems: [
      '1:1  workers: expected auto or a whole number from 1 to 256; found "many"',
      '2:23  routes[0].shadow: expected false, or a mapping such as { sample: 1 }; found text',
      '2:67  routes[1].shadow.sample: expected a number from 0 to 1; found the number 2',
    ],
  },
  {
    name: 'a list too long, too short, or with something twice',
    text: 'identity:\n  - from: jwt\n    jwksUrl: https://id.example\n    algorithms: []\nroutes:\n  - match: /a\n    methods: [GET, POST, GET]',
    problems: [
      '4:5  identity[0].algorithms: expected a list of 1 to 1000; found an empty list',
      '7:26  routes[0].methods[2]: the same as routes[0].methods[0]',
    ],
  },
  {
    name: 'a long text is cut where it is shown',
    text: `log: { level: ${'x'.repeat(200)} }`,
    problems: [`1:8  log.level: expected one of debug, info, warn, error; found "${'x'.repeat(60)}…"`],
  },
]);

void t.test('a missing backend, and a missing URL', async (t) => {
  t.strictSame(problemsOf('backends:\n  legacy: { conectMs: 5 }\n'), [
    '1:1  backends.new: missing; expected a mapping',
    '2:3  backends.legacy.url: missing; expected an http or https URL',
    '2:13  backends.legacy.conectMs: unknown key; did you mean `connectMs`?',
  ]);
});

void t.test('problems of all parts are reported together, in the order of the file', async (t) => {
  const text = `cutover: { drainMaxMs: 6000 }
routes: [{ match: api }]
cohorts: [{ name: Staff }, { name: a, rule: { attribute: user, exist: true } }]
workers: 2`;
  t.strictSame(
    problemsOf(text + BACKENDS).map((line) => line.split(': ')[0]),
    [
      '1:12  cutover.drainMaxMs',
      '2:12  routes[0].match',
      '3:13  cohorts[0].name',
      '3:64  cohorts[1].rule.exist',
      '4:1  workers',
    ],
  );
});
