import fc from 'fast-check';
import t from 'tap';
import { canonicalPath, scanPath } from '../../src/routing/canonical-path.ts';
import { percentDecodeBytes, percentDecodeUtf8 } from '../../src/routing/percent-decode.ts';
import type { Route } from '../../src/routing/router.ts';
import { AMBIGUOUS, compileRoutes } from '../../src/routing/router.ts';

const WORDS = ['a', 'b', 'ab', 'api', 'users'];
const segment = fc.constantFrom(...WORDS);
const method = fc.constantFrom('GET', 'POST', 'QUERY');

const pattern = fc
  .tuple(fc.array(fc.oneof(segment, fc.constant(':')), { maxLength: 3 }), fc.boolean(), fc.boolean())
  .map(([parts, rest, slash]) => {
    const named = parts.map((part, index) => (part === ':' ? `:p${index}` : part));
    return `/${[...named, ...(rest ? ['*'] : slash && named.length > 0 ? [''] : [])].join('/')}`;
  });

const route: fc.Arbitrary<Route> = fc.record({
  name: fc.uuid(),
  match: pattern,
  methods: fc.subarray(['GET', 'POST']),
  class: fc.constantFrom('read' as const, 'write' as const, undefined),
  backend: fc.constant(undefined),
  shadow: fc.boolean(),
  mirror: fc.boolean(),
});
const routes = fc.array(route, { maxLength: 6 });

const plainPath = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([parts, slash]) => `/${parts.join('/')}${slash && parts.length > 0 ? '/' : ''}`);
const query = fc.constantFrom('', '?', '?a=1', '?/../%zz', '?a?b');

/** Pieces of which paths are made that backends read in more than one way. */
const nasty = fc
  .array(
    fc.oneof(
      segment,
      fc.constantFrom(
        '/',
        '//',
        '.',
        '..',
        '%2e',
        '%2F',
        '%5c',
        '\\',
        '%',
        '%z',
        '%25',
        ';',
        '#',
        '?',
        '\u00e9',
        '%00',
      ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));
const anyTarget = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  nasty,
  nasty.map((path) => `/${path}`),
);

/** The meaning of patterns, written as plainly as possible. */
function naiveMatch(all: readonly Route[], sent: string, path: string): string {
  for (const candidate of all) {
    const source = candidate.match
      .split('/')
      .slice(1)
      .map((part, index) => {
        if (part === '*') return index === 0 ? '.*' : '(?:/.*)?';
        return part.startsWith(':') ? '/[^/]+' : `/${part}`;
      })
      .join('');
    const takes = candidate.methods.length === 0 || candidate.methods.includes(sent);
    if (takes && new RegExp(`^${source}$`, 's').test(path)) return candidate.name;
  }
  return 'default';
}

void t.test('matching never throws, whatever the method and the target', async () => {
  fc.assert(
    fc.property(routes, fc.string(), anyTarget, (all, sent, target) => {
      const match = compileRoutes(all).match(sent, target);
      return match === AMBIGUOUS || match.route.name.length > 0;
    }),
    { numRuns: 2_000 },
  );
});

void t.test('a plain path is its own canonical form', async () => {
  fc.assert(fc.property(plainPath, (path) => canonicalPath(path) === path && scanPath(path) === path.length));
});

void t.test('a path that is not suspicious is its own canonical form', async () => {
  fc.assert(
    fc.property(nasty, (tail) => {
      const path = `/${tail}`;
      const end = scanPath(path);
      return end < 0 || canonicalPath(path.slice(0, end)) === path.slice(0, end);
    }),
    { numRuns: 5_000 },
  );
});

void t.test('a canonical path has no dot segments, no empty ones, no backslash', async () => {
  fc.assert(
    fc.property(anyTarget, (path) => {
      const canonical = canonicalPath(path);
      return canonical.startsWith('/') && !/\\|\/\/|\/\.\.?(?:\/|$)/.test(canonical);
    }),
    { numRuns: 5_000 },
  );
});

void t.test('plain paths go to the first route that fits, as a naive reading has it', async () => {
  fc.assert(
    fc.property(routes, method, plainPath, query, (all, sent, path, search) => {
      const match = compileRoutes(all).match(sent, path + search);
      return match !== AMBIGUOUS && match.route.name === naiveMatch(all, sent, path);
    }),
    { numRuns: 5_000 },
  );
});

void t.test(
  'a routed path has the same route in its canonical form, an ambiguous one has none or other parameters',
  async () => {
    fc.assert(
      fc.property(routes, method, nasty, (all, sent, tail) => {
        const path = `/${tail}`.split('?', 1)[0] ?? '/';
        const match = compileRoutes(all).match(sent, path);
        const asSent = naiveMatch(all, sent, path);
        const asRead = naiveMatch(all, sent, canonicalPath(path));
        if (match !== AMBIGUOUS) return match.route.name === asSent && asSent === asRead;
        return asSent !== asRead || all.some((one) => one.name === asSent && one.match.includes(':'));
      }),
      { numRuns: 5_000 },
    );
  },
);

void t.test('decoding undoes encoding, and never throws', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => percentDecodeUtf8(encodeURIComponent(text)) === text,
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => typeof percentDecodeBytes(text) === 'string'),
  );
});
