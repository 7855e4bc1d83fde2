import t from 'tap';
import { testWrong } from './problems-of.ts';

const RULE =
  'one of { attribute, in }, { attribute, prefix }, { attribute, exists: true }, { all }, { any }, { not }';
const ATTRIBUTE = 'user, or header.NAME, claim.NAME, cookie.NAME, query.NAME, path.NAME';
const RAMP =
  'a share from 0% to 100% with at most two decimals, or a whole number of users from 0 to 1000000000';
const PUBLIC = 'RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA';

testWrong(t, [
  {
    name: 'a header that nobody vouches for',
    text: 'identity: [{ from: header, name: X-User-Id }]',
    problems: [
      "1:12  identity[0].trusted: any client can send this header and so name itself anybody; write `trusted: true` if something in front of Turnout sets it and drops the client's own, else remove this source",
    ],
  },
  {
    name: 'names that cannot be names',
    text: 'identity: [{ from: header, name: "x y", trusted: true }, { from: cookie, name: "a=b" }, { from: query, name: "" }]',
    problems: [
      '1:28  identity[0].name: expected the name of a header; found "x y"',
      '1:74  identity[1].name: expected the name of a cookie; found "a=b"',
      '1:104  identity[2].name: expected the name of a query parameter; found empty text',
    ],
  },
  {
    name: 'a path parameter that no route has',
    text: 'identity: [{ from: path, name: customer }]\nroutes: [{ match: "/c/:user" }]\ncohorts: [{ name: a, rule: { not: { attribute: path.tenant, exists: true } } }]',
    problems: [
      '1:26  identity[0].name: no route captures `:customer` in its path',
      '3:22  cohorts[0].rule: no route captures `:tenant` in its path',
    ],
  },
  {
    name: 'a path parameter that may be in a route which cannot be read',
    text: 'identity: [{ from: path, name: customer }]\nroutes: [{ match: ":customer/*" }]',
    problems: ['2:12  routes[0].match: a pattern begins with "/"'],
  },
  {
    name: 'a token without a key, with two keys, with one that is too short, with one that is missing',
    text: `identity:
  - { from: jwt }
  - { from: jwt, jwksUrl: "https://id.example", secret: x }
  - { from: jwt, secret: "31 bytes are one byte too few!!" }
  - { from: jwt, secretFile: /nowhere }
  - { from: jwt, jwksUrl: "id.example" }`,
    problems: [
      '2:5  identity[0]: expected exactly one of jwksUrl, secretFile, secret; found none',
      '3:5  identity[1]: expected exactly one of jwksUrl, secretFile, secret; found jwksUrl and secret',
      '4:18  identity[2].secret: expected a secret of at least 32 bytes; found 31',
      '5:18  identity[3].secretFile: this file cannot be used: it does not exist',
      '6:18  identity[4].jwksUrl: expected an http or https URL such as http://127.0.0.1:9001',
    ],
  },
  {
    name: 'algorithms of the other kind, and none',
    text: `identity:
  - { from: jwt, jwksUrl: "https://id.example", algorithms: [RS256, HS256] }
  - { from: jwt, secret: "${'s'.repeat(32)}", algorithms: [RS256] }
  - { from: jwt, secret: "${'s'.repeat(32)}", algorithms: [none] }`,
    problems: [
      `2:69  identity[0].algorithms[1]: HS256 does not go with the public keys of \`jwksUrl\`; expected one of ${PUBLIC}`,
      '3:75  identity[1].algorithms[0]: RS256 does not go with a secret; expected one of HS256, HS384, HS512',
      `4:75  identity[2].algorithms[0]: expected one of ${PUBLIC}, HS256, HS384, HS512; found "none"`,
    ],
  },
  {
    name: 'cohorts of one name, two default cohorts, a name that is none',
    text: 'cohorts: [{ name: a, default: true }, { name: a, default: true }, { name: -a }]',
    problems: [
      '1:41  cohorts[1].name: another cohort is named `a`',
      '1:50  cohorts[1].default: `a` is the default cohort already; there is one at the most',
      '1:69  cohorts[2].name: expected 1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit; found "-a"',
    ],
  },
  {
    name: 'ramps beyond their bounds',
    text: 'cohorts:\n  - { name: a, ramp: 101% }\n  - { name: b, ramp: 10.123% }\n  - { name: c, ramp: -1 }\n  - { name: d, ramp: 0.5 }\n  - { name: e, ramp: half }',
    problems: [
      `2:16  cohorts[0].ramp: expected ${RAMP}; found "101%"`,
      `3:16  cohorts[1].ramp: expected ${RAMP}; found "10.123%"`,
      `4:16  cohorts[2].ramp: expected ${RAMP}; found the number -1`,
      `5:16  cohorts[3].ramp: expected ${RAMP}; found the number 0.5`,
      `6:16  cohorts[4].ramp: expected ${RAMP}; found "half"`,
    ],
  },
  {
    name: 'a stage misspelt',
    text: 'cohorts: [{ name: a, stage: lvie }]',
    problems: [
      '1:22  cohorts[0].stage: expected one of off, dualwrite, shadow, live, rampdown, complete; found "lvie"; did you mean `live`?',
    ],
  },
  {
    name: 'rules that are none, or two at once',
    text: `cohorts:
  - { name: a, rule: {} }
  - { name: b, rule: { attribute: user } }
  - { name: c, rule: { in: [x] } }
  - { name: d, rule: { attribute: user, in: [x], prefix: x } }
  - { name: e, rule: { attribute: user, not: { attribute: user, in: [x] } } }
  - { name: f, rule: staff }`,
    problems: [
      `2:16  cohorts[0].rule: expected ${RULE}; found an empty mapping`,
      `3:16  cohorts[1].rule: expected ${RULE}; found attribute`,
      `4:16  cohorts[2].rule: expected ${RULE}; found in`,
      `5:16  cohorts[3].rule: expected ${RULE}; found attribute, in, prefix`,
      `6:16  cohorts[4].rule: expected ${RULE}; found attribute, not`,
      '7:16  cohorts[5].rule: expected a mapping; found text',
    ],
  },
  {
    name: 'mistakes inside nested rules have their own place',
    text: `cohorts:
  - name: a
    rule:
      all:
        - { attribute: header.x-plan, in: [1] }
        - any:
            - { attribute: hedaer.x, exists: true }
            - { attribute: plan, prefix: x }
            - { attribute: header.a b, exists: true }
            - not: { attribute: user, exists: false }
        - any: []
        - nott: {}`,
    problems: [
      '5:44  cohorts[0].rule.all[0].in[0]: expected text; a number has to be quoted; found the number 1',
      `7:17  cohorts[0].rule.all[1].any[0].attribute: expected ${ATTRIBUTE}; did you mean \`header.x\`?`,
      `8:17  cohorts[0].rule.all[1].any[1].attribute: expected ${ATTRIBUTE}`,
      '9:17  cohorts[0].rule.all[1].any[2].attribute: this cannot be the name of a header',
      '10:39  cohorts[0].rule.all[1].any[3].not.exists: expected true (for its opposite use `not`); found false',
      '11:11  cohorts[0].rule.all[2].any: expected a list of 1 to 100 rules; found an empty list',
      '12:11  cohorts[0].rule.all[3].nott: unknown key; did you mean `not`?',
    ],
  },
  {
    name: 'rules nine deep',
    text: `cohorts: [{ name: a, rule: ${'{ not: '.repeat(8)}{ attribute: user, exists: true }${' }'.repeat(8)} }]`,
    problems: [`1:79  cohorts[0].rule${'.not'.repeat(8)}: rules are nested at most 8 deep`],
  },
]);
