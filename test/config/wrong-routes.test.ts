import t from 'tap';
import { testWrong } from './problems-of.ts';

testWrong(t, [
  {
    name: 'patterns that do not compile',
    text: 'routes:\n  - match: api\n  - match: /a*\n  - match: /:a/:a\n  - match: /a?b=c',
    problems: [
      '2:5  routes[0].match: a pattern begins with "/"',
      '3:5  routes[1].match: "*" can only be the whole last segment',
      '4:5  routes[2].match: ":a" appears twice',
      '5:5  routes[3].match: a pattern cannot contain "?", "#" or "\\": it is compared with paths only',
    ],
  },
  {
    name: 'methods in lower case, and one that is not served',
    text: 'routes: [{ match: /a, methods: [get, CONNECT] }, { match: /b, methods: [CONNECT] }]',
    problems: [
      '1:33  routes[0].methods[0]: expected a method in upper case such as GET; found "get"',
      '1:63  routes[1].methods: CONNECT is not served: Turnout is a reverse proxy',
    ],
  },
  {
    name: 'routes of one name, and the name that is taken',
    text: 'routes: [{ match: /a, name: x }, { match: /b, name: x }, { match: /c, name: default }, { match: /d, name: /e }, { match: /e }]',
    problems: [
      '1:47  routes[1].name: routes[0] is named `x` too; give one of them another `name`',
      '1:71  routes[2].name: `default` is the name of what no route takes; choose another',
      '1:113  routes[4].name: routes[3] is named `/e` too; give one of them another `name`',
    ],
  },
  {
    name: 'a route behind one that takes everything of it',
    text: 'routes: [{ match: /* }, { match: /api/* }]',
    problems: [
      '1:25  routes[1]: this route can never match: routes[0] (/*) before it takes every request of it',
    ],
  },
  {
    name: 'the same route twice',
    text: 'routes: [{ match: /a }, { match: /a }]',
    problems: [
      '1:25  routes[1]: this route can never match: routes[0] (/a) before it takes every request of it',
    ],
  },
  {
    name: 'a route whose methods earlier ones share out among them',
    text: 'routes: [{ match: "/a/:x", methods: [GET] }, { match: "/a/*", methods: [POST] }, { match: /a/b, methods: [GET, POST] }]',
    problems: [
      '1:82  routes[2]: this route can never match: routes[0] (/a/:x) and routes[1] (/a/*) before it takes every request of it',
    ],
  },
  {
    name: 'routes that earlier ones leave something to are fine',
    text: `routes:
  - { match: "/a/:x" }
  - { match: /a/ }
  - { match: /a/* }
  - { match: /b, methods: [GET] }
  - { match: /b, methods: [GET, POST] }
  - { match: /b }
  - { match: /c/d }
  - { match: /c/:x/e }
  - { match: /c/:x }
  - { match: /* }`,
    problems: [],
  },
  {
    name: 'settings that contradict each other',
    text: `routes:
  - { match: /a, backend: new, mirror: true, shadow: { sample: 1 } }
  - { match: /b, class: write, shadow: {} }
  - { match: /c, class: read, mirror: true }
  - { match: /d, shadow: true }`,
    problems: [
      '2:32  routes[0].mirror: this route has a fixed `backend`: nothing of it is sent to the other one',
      '2:46  routes[0].shadow: this route has a fixed `backend`: nothing of it is sent to the other one',
      '3:32  routes[1].shadow: this route has `class: write`, and only reads are shadowed',
      '4:31  routes[2].mirror: this route has `class: read`, and only writes are mirrored',
      '5:18  routes[3].shadow: expected false, or a mapping such as { sample: 1 }; found true',
    ],
  },
  {
    name: 'the shape of the comparison',
    text: `routes:
  - match: /a
    shadow:
      compare:
        ignroe: []
        ignore: [generatedAt]
        arrays: { $.items: { kye: sku } }
        tolerance: { $.price: { relative: 2 } }
        rename: { $.a: b }
        nullIsAbsent: 1
        equalStatus: [[200], [200, 999]]
        headers: ["content type"]`,
    problems: [
      '5:9  routes[0].shadow.compare.ignroe: unknown key; did you mean `ignore`?',
      '6:18  routes[0].shadow.compare.ignore[0]: expected a path into the document such as $.items[*].price; found "generatedAt"',
      '7:19  routes[0].shadow.compare.arrays["$.items"].key: missing; expected the name of the field that tells items apart, or a list of at most 8',
      '7:30  routes[0].shadow.compare.arrays["$.items"].kye: unknown key; did you mean `key`?',
      '8:33  routes[0].shadow.compare.tolerance["$.price"].relative: expected a number from 0 to 1; found the number 2',
      '9:19  routes[0].shadow.compare.rename["$.a"]: expected a path into the document such as $.items[*].price; found "b"',
      '10:9  routes[0].shadow.compare.nullIsAbsent: expected true or false; found the number 1',
      '11:23  routes[0].shadow.compare.equalStatus[0]: expected a list of 2 to 20 statuses; found a list of 1',
      '11:36  routes[0].shadow.compare.equalStatus[1][1]: expected a whole number from 100 to 599; found the number 999',
      '12:19  routes[0].shadow.compare.headers[0]: expected the name of a header; found "content type"',
    ],
  },
  {
    name: 'keys of the comparison that are no paths, and a tolerance of nothing',
    text: 'routes: [{ match: /a, shadow: { compare: { arrays: { items: { key: id } }, tolerance: { $.a: {} } } } }]',
    problems: [
      '1:54  routes[0].shadow.compare.arrays.items: expected a path such as $.items[*].price: a path begins with $',
      '1:89  routes[0].shadow.compare.tolerance["$.a"]: expected at least one of absolute, relative, timeMs',
    ],
  },
  {
    name: 'rules of the comparison that have the right shape and no meaning',
    text: `routes:
  - match: /a
    shadow:
      compare:
        ignore: ["$.a b"]
        comparators: { $.a: trimmd, $.b: [trimmed, 3] }
        rename: { "$.a[*]": $.b }`,
    problems: ['6:52  routes[0].shadow.compare.comparators["$.b"][1]: expected text; found the number 3'],
  },
  {
    name: 'paths that stop being one, and names that no two paths share',
    text: `routes:
  - match: /a
    shadow:
      compare:
        ignore: ["$.a b"]
        rename: { "$.a[*]": $.b }`,
    problems: [
      '5:18  routes[0].shadow.compare.ignore[0]: expected a path such as $.items[*].price: character 4: expected . or [',
      '6:19  routes[0].shadow.compare.rename["$.a[*]"]: expected two paths of names and [*] such as $.items[*].userName and $.items[*].user.name: both paths need the same number of [*]',
    ],
  },
]);
