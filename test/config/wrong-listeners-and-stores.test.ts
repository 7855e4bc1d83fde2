import t from 'tap';
import { testWrong } from './problems-of.ts';

const TOKEN = 'a-token-of-24-characters';

testWrong(t, [
  {
    name: 'a listener without a usable host',
    text: 'listen: { host: "a b" }\nadmin: { listen: { host: "-x", port: 70000 } }',
    problems: [
      '1:11  listen.host: expected a host name or an IP address',
      '2:32  admin.listen.port: expected a port from 0 to 65535; found the number 70000',
    ],
  },
  {
    name: 'both listeners on one address',
    text: 'admin: { listen: { port: 8080 } }',
    problems: ['1:20  admin.listen.port: `listen` has the same address (port 8080); the two need one each'],
  },
  {
    name: 'both listeners on one port, one of them on every address',
    text: 'listen: { host: 0.0.0.0 }\nadmin: { listen: { port: 8080 } }',
    problems: ['2:20  admin.listen.port: `listen` has the same address (port 8080); the two need one each'],
  },
  {
    name: 'the same, the other way round',
    text: `admin: { listen: { host: "::", port: 8080 }, tokens: [{ name: a, role: viewer, token: ${TOKEN} }] }`,
    problems: ['1:32  admin.listen.port: `listen` has the same address (port 8080); the two need one each'],
  },
  {
    name: 'an admin API that others can reach, without tokens',
    text: 'admin: { listen: { host: 10.0.0.1 } }',
    problems: [
      '1:20  admin.listen.host: this host is not loopback, and `admin.tokens` is empty: anybody who reaches it could move users; write tokens, or listen on 127.0.0.1',
    ],
  },
  {
    name: 'tokens: none of the three keys, two of them, too short, not for a header, a missing file',
    text: `admin:
  tokens:
    - { name: a, role: viewer }
    - { name: b, role: viewer, token: ${TOKEN}, tokenFile: /nowhere }
    - { name: c, role: viewer, token: short }
    - { name: d, role: viewer, token: "with spaces in between" }
    - { name: e, role: viewer, tokenFile: /nowhere }
    - { name: f, role: boss, tokenHash: beef }`,
    problems: [
      '3:7  admin.tokens[0]: expected exactly one of token, tokenFile, tokenHash; found none',
      '4:7  admin.tokens[1]: expected exactly one of token, tokenFile, tokenHash; found token and tokenFile',
      '5:32  admin.tokens[2].token: expected a token of at least 16 characters; found 5',
      '6:32  admin.tokens[3].token: a token is visible ASCII without spaces: it travels in a header',
      '7:32  admin.tokens[4].tokenFile: this file cannot be used: it does not exist',
      '8:18  admin.tokens[5].role: expected one of viewer, operator, admin; found "boss"',
      '8:30  admin.tokens[5].tokenHash: expected the SHA-256 of a token, 64 hexadecimal digits in quotes; found text',
    ],
  },
  {
    name: 'two tokens of one name, and one token under two names',
    text: `admin:
  tokens:
    - { name: a, role: viewer, token: ${TOKEN} }
    - { name: a, role: viewer, token: another-${TOKEN} }
    - { name: b, role: admin, token: ${TOKEN} }`,
    problems: [
      '4:9  admin.tokens[1].name: another token is named `a`',
      '5:7  admin.tokens[2]: this is the same token as that of `a`',
    ],
  },
  {
    name: 'several processes with embedded stores',
    text: 'workers: auto',
    problems: [
      '1:1  workers: embedded mode is one process: with `state.kind: embedded` this has to be 1; use `kind: redis` for more',
    ],
  },
  {
    name: 'several processes with an embedded record',
    text: 'workers: 2\nstate: { kind: redis, url: "redis://h" }',
    problems: [
      '1:1  workers: the embedded record belongs to one process: with `record.kind: embedded` this has to be 1; use `kind: postgres` for more',
    ],
  },
  {
    name: 'Redis without a URL',
    text: 'state: { kind: redis }',
    problems: [
      '1:1  state.url: missing; expected a redis:// or rediss:// URL, or `mode: cluster` or `sentinel` with `nodes`',
    ],
  },
  {
    name: 'a single Redis: the wrong scheme',
    text: 'state: { kind: redis, url: "http://h" }',
    problems: ['1:23  state.url: expected a redis:// or rediss:// URL such as redis://127.0.0.1:6379'],
  },
  {
    name: 'a single Redis: a database that is no number',
    text: 'state: { kind: redis, url: "redis://h/shop" }',
    problems: [
      '1:23  state.url: expected a host, a port and perhaps the number of a database, such as redis://127.0.0.1:6379/0',
    ],
  },
  {
    name: 'a single Redis: keys of other modes, and what the URL already says',
    text: 'state: { kind: redis, url: "redis://u:p@h", password: q, tls: true, nodes: ["h:1"], sentinelName: x }',
    problems: [
      '1:45  state.password: the `url` already has one',
      '1:58  state.tls: with a `url`, TLS is asked for by rediss://',
      '1:69  state.nodes: `mode: single` has a `url` and nothing of this; is another mode meant?',
      '1:85  state.sentinelName: `mode: single` has a `url` and nothing of this; is another mode meant?',
    ],
  },
  {
    name: 'a cluster: a URL, no nodes, a sentinel',
    text: 'state: { kind: redis, mode: cluster, url: "redis://h", sentinelName: x }',
    problems: [
      '1:1  state.nodes: missing; expected a list of host:port',
      '1:38  state.url: `mode: cluster` has `nodes` instead of a `url`',
      '1:56  state.sentinelName: this belongs to `mode: sentinel`',
    ],
  },
  {
    name: 'sentinels: nodes without a port or with an impossible one, and no name',
    text: 'state: { kind: redis, mode: sentinel, nodes: ["h", "h:0", "h:70000", "a b:1", "[::1]:26379"] }',
    problems: [
      '1:1  state.sentinelName: missing; expected the name under which the sentinels know the master',
      '1:47  state.nodes[0]: expected host:port such as 10.0.0.5:6379',
      '1:52  state.nodes[1]: expected host:port such as 10.0.0.5:6379',
      '1:59  state.nodes[2]: expected host:port such as 10.0.0.5:6379',
      '1:70  state.nodes[3]: expected host:port such as 10.0.0.5:6379',
    ],
  },
  {
    name: 'a key prefix with a hash tag would move the whole map into one slot',
    text: 'state: { kind: redis, url: "redis://h", keyPrefix: "{x}" }',
    problems: ['1:41  state.keyPrefix: expected 1 to 64 letters, digits and _ . : -; found "{x}"'],
  },
  {
    name: 'a record that is no Postgres',
    text: 'record: { kind: postgres, url: "mysql://h/db" }',
    problems: [
      '1:27  record.url: expected a postgres:// or postgresql:// URL such as postgres://turnout@127.0.0.1:5432/turnout',
    ],
  },
  {
    name: 'a drain that outlasts the held writes',
    text: 'cutover: { holdMaxMs: 3000 }',
    problems: [
      '1:1  cutover.drainMaxMs: expected less than `holdMaxMs`: a flip that cannot succeed has to give up before a held write does',
    ],
  },
  {
    name: 'proxies that are no addresses',
    text: 'forwarding: { trustedProxies: [10.0.0.0/33, proxy.example, 10.0.0.0/8/8, "fe80::1%eth0", "::1/129"] }',
    problems: [0, 1, 2, 3, 4].map(
      (index) =>
        `1:${[32, 45, 60, 74, 90][index]}  forwarding.trustedProxies[${index}]: expected an IP address or a range such as 10.0.0.0/8`,
    ),
  },
]);
