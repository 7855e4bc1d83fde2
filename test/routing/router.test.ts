import t from 'tap';
import type { Route } from '../../src/routing/router.ts';
import { AMBIGUOUS, compileRoutes, DEFAULT_ROUTE } from '../../src/routing/router.ts';

function route(name: string, match: string, changes: Partial<Route> = {}): Route {
  return {
    name,
    match,
    methods: [],
    class: undefined,
    backend: undefined,
    shadow: false,
    mirror: false,
    ...changes,
  };
}

/** The name of the route, or `ambiguous`. */
function nameFor(routes: readonly Route[], target: string, method = 'GET'): string {
  const match = compileRoutes(routes).match(method, target);
  return match === AMBIGUOUS ? match : match.route.name;
}

const SHOP = [
  route('search', '/api/search', { methods: ['POST'], class: 'read' }),
  route('order', '/api/orders/:order/lines/:line'),
  route('user', '/api/users/:user/*'),
  route('api', '/api/*'),
  route('static', '/static/*', { backend: 'legacy' }),
  route('home', '/'),
  route('admin', '/admin'),
];

void t.test('the first route that fits takes the request', async (t) => {
  const expected: readonly (readonly [string, string])[] = [
    ['/api/search', 'api'],
    ['/api/orders/1/lines/2', 'order'],
    ['/api/orders/1/lines/2/', 'api'],
    ['/api/orders/1/lines/', 'api'],
    ['/api/orders//lines/2', 'api'],
    ['/api/users/7', 'user'],
    ['/api/users/7/', 'user'],
    ['/api/users/7/a/b', 'user'],
    ['/api/users/', 'api'],
    ['/api/users', 'api'],
    ['/api', 'api'],
    ['/api/', 'api'],
    ['/apix', 'default'],
    ['/ap', 'default'],
    ['/static/a.js?v=1', 'static'],
    ['/static?v=/../admin', 'static'],
    ['/', 'home'],
    ['/?q=1', 'home'],
    ['/admin', 'admin'],
    ['/admin?x', 'admin'],
    ['/admin/', 'default'],
    ['/Admin', 'default'],
    ['', 'default'],
    ['*', 'default'],
    ['?a=1', 'default'],
  ];
  for (const [target, name] of expected) t.equal(nameFor(SHOP, target), name, target);
  t.equal(nameFor(SHOP, '/api/search', 'POST'), 'search');
});

void t.test('an implicit last route takes what the others leave, and copies nothing', async (t) => {
  const match = compileRoutes([]).match('GET', '/x');
  t.match(match, { route: DEFAULT_ROUTE, class: 'read' });
  t.match(DEFAULT_ROUTE, { name: 'default', match: '/*', shadow: false, mirror: false, requireUser: false });
});

void t.test(
  'GET, HEAD and OPTIONS are reads, the rest are writes, unless the route says otherwise',
  async (t) => {
    const router = compileRoutes([
      route('search', '/search', { class: 'read' }),
      route('logout', '/logout', { class: 'write' }),
      route('user', '/users/:user'),
    ]);
    const classOf = (method: string, target: string): string => {
      const match = router.match(method, target);
      return match === AMBIGUOUS ? match : match.class;
    };
    for (const target of ['/x', '/users/1', '/%78']) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) t.equal(classOf(method, target), 'read', method);
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'TRACE', 'get']) {
        t.equal(classOf(method, target), 'write', method);
      }
    }
    t.equal(classOf('POST', '/search'), 'read');
    t.equal(classOf('GET', '/logout'), 'write');
  },
);

void t.test('parameters are decoded as UTF-8 text; what cannot be decoded is absent', async (t) => {
  const router = compileRoutes([route('line', '/o/:order/l/:line/*')]);
  const params = (target: string): (string | undefined)[] | string => {
    const match = router.match('GET', target);
    return match === AMBIGUOUS ? match : ['order', 'line', 'other'].map((name) => match.params.get(name));
  };
  t.strictSame(params('/o/1/l/2'), ['1', '2', undefined]);
  t.strictSame(params('/o/a%20b/l/caf%C3%A9/x?y=/z'), ['a b', 'café', undefined]);
  t.strictSame(params('/o/caf\u00c3\u00a9/l/+'), ['café', '+', undefined], 'bytes as sent');
  t.strictSame(params('/o/%zz/l/%E9'), [undefined, undefined, undefined]);
  t.strictSame(params('/o/%2525/l/2%'), ['%25', undefined, undefined]);
  t.strictSame(params('/o/1/l/2?l=/o/3/l/4'), ['1', '2', undefined]);
});

void t.test('a path that a backend may read as another route is ambiguous', async (t) => {
  const targets = [
    '/static/../admin',
    '/static/..%2fadmin',
    '/static/%2e%2e/admin',
    '/static/%2E./admin',
    '/static/..%5cadmin',
    '/static\\..\\admin',
    '/static/..;x=1/admin',
    '/static/x/../../admin',
    '//admin',
    '/%61dmin',
    '/./admin',
    '/x/..//admin',
    '/%2fstatic/x',
    '/static/..#/x',
    '/admin#',
  ];
  for (const target of targets) t.equal(nameFor(SHOP, target), AMBIGUOUS, target);
});

void t.test('an unusual path that stays in its route is routed', async (t) => {
  const expected: readonly (readonly [string, string])[] = [
    ['/api/caf%E9', 'api'],
    ['/api/a%2Fb', 'api'],
    ['/api//a', 'api'],
    ['/api/x/..%2fy', 'api'],
    ['/api/a\\b', 'api'],
    ['/api/%zz', 'api'],
    ['/api/%', 'api'],
    ['/api/.well-known', 'api'],
    ['/api/...', 'api'],
    ['/static/%252e%252e/admin', 'static'],
    ['/static/a;v=1/b', 'static'],
    ['/static/é', 'static'],
    ['/caf%E9', 'default'],
    ['//a', 'default'],
    ['/../../x', 'default'],
    ['/%00', 'default'],
    ['/admin/.', 'default'],
  ];
  for (const [target, name] of expected) t.equal(nameFor(SHOP, target), name, target);
});

void t.test('a path whose parameters depend on how it is read is ambiguous', async (t) => {
  const routes = [route('user', '/users/:user/*'), route('all', '/*')];
  t.equal(nameFor(routes, '/users/alice/..%2f..%2fusers/bob'), AMBIGUOUS);
  t.equal(nameFor(routes, '/users/alice/../bob'), AMBIGUOUS);
  t.equal(nameFor(routes, '/users/alice%2fx'), AMBIGUOUS);
  t.equal(nameFor(routes, '/users/%zz%2f..%2fbob'), AMBIGUOUS, 'a broken escape hides nothing');
  t.equal(nameFor(routes, '/users//alice'), AMBIGUOUS);
  t.equal(nameFor(routes, '/users/%61lice/x/../y'), 'user');
  t.equal(nameFor(routes, '/users/%zz/x'), 'user');
});

void t.test('a method decides between routes in both forms', async (t) => {
  const routes = [route('write', '/a/*', { methods: ['POST'] }), route('read', '/*', { methods: ['GET'] })];
  t.equal(nameFor(routes, '/b/../a/x', 'GET'), 'read');
  t.equal(nameFor(routes, '/b/../a/x', 'POST'), AMBIGUOUS);
});

void t.test('patterns outside ASCII meet their encoded form; other spellings are ambiguous', async (t) => {
  const routes = [route('café', '/café/:name'), route('space', '/a b/*'), route('coded', '/x%2Fy/*')];
  t.equal(nameFor(routes, '/caf%C3%A9/x'), 'café');
  t.equal(nameFor(routes, '/a%20b/x'), 'space');
  t.equal(nameFor(routes, '/x%2Fy/z'), 'coded');
  t.equal(nameFor(routes, '/caf%c3%a9/x'), AMBIGUOUS);
  t.equal(nameFor(routes, '/caf\u00c3\u00a9/x'), AMBIGUOUS);
});

void t.test('characters beyond one byte, which no wire can carry, do no harm', async (t) => {
  t.equal(nameFor(SHOP, '/api/users/\u{1f98a}/x'), 'user');
  const match = compileRoutes(SHOP).match('GET', '/api/users/\u{1f98a}/x');
  t.equal(match === AMBIGUOUS ? match : match.params.get('user'), undefined);
});

void t.test('an invalid pattern is refused with its reason', async (t) => {
  t.throws(() => compileRoutes([route('x', '/a/*/b')]), { message: /"\/a\/\*\/b".*last segment/ });
});
