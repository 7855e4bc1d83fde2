import t from 'tap';
import { patternProblem } from '../../src/routing/pattern.ts';

void t.test('valid patterns have no problem', async (t) => {
  for (const match of [
    '/',
    '/*',
    '/a',
    '/a/',
    '/a/*',
    '/:id',
    '/a/:id/b-c/:other_id/*',
    '/café',
    '/a b',
    '/a:b',
    '/%2F',
  ]) {
    t.equal(patternProblem(match), undefined, match);
  }
});

void t.test('each mistake is named', async (t) => {
  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['', /begins with/],
    ['*', /begins with/],
    ['api/*', /begins with/],
    ['/a?b=1', /paths only/],
    ['/a#b', /paths only/],
    ['/a\\b', /paths only/],
    ['/a*', /whole last segment/],
    ['/*/a', /whole last segment/],
    ['/a/*.png', /whole last segment/],
    ['/a/**', /whole last segment/],
    ['/a//b', /"\/\/"/],
    ['/a/../b', /dot segments/],
    ['/.', /dot segments/],
    ['/:', /not a name/],
    ['/:1a', /not a name/],
    ['/:a.b', /not a name/],
    ['/:id/x/:id', /twice/],
    ['/a\u0000', /control characters/],
    ['/a\ud800', /Unicode/],
  ];
  for (const [match, expected] of mistakes) t.match(patternProblem(match), expected, JSON.stringify(match));
});
