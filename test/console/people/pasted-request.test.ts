import t from 'tap';
import { explainQuery, parsePasted } from '../../../src/console/people/pasted-request.ts';

void t.test('a plain curl line is a GET of its path', async (t) => {
  t.same(parsePasted('curl http://127.0.0.1:8080/api/orders?page=2#top'), {
    method: 'GET',
    target: '/api/orders?page=2',
    headers: [['host', '127.0.0.1:8080']],
    notes: [],
  });
});

void t.test('what a browser copies as curl keeps its headers and cookies', async (t) => {
  const { method, target, headers, notes } = parsePasted(
    [
      "curl 'https://shop.example/api/profile' \\",
      "  -X 'PATCH' \\",
      "  -H 'accept: */*' \\",
      "  -H $'x-note: it\\'s \\u0041' \\",
      "  -b 'sid=1; theme=dark' \\",
      `  --data-raw $'{"userName":"Ada\\n"}' \\`,
      '  --compressed',
    ].join('\n'),
  );
  t.equal(method, 'PATCH');
  t.equal(target, '/api/profile');
  t.same(headers, [
    ['host', 'shop.example'],
    ['accept', '*/*'],
    ['x-note', "it's A"],
    ['cookie', 'sid=1; theme=dark'],
    ['content-type', 'application/x-www-form-urlencoded'],
  ]);
  t.match(notes, ['body was left out']);
});

void t.test('the method follows from the options as it does for curl', async (t) => {
  for (const [line, method] of [
    ['curl -I /a', 'HEAD'],
    ['curl -d x=1 /a', 'POST'],
    ['curl --json {} /a', 'POST'],
    ['curl -F a=b /a', 'POST'],
    ['curl -T file /a', 'PUT'],
    ['curl -sSXDELETE /a', 'DELETE'],
    ['curl -d x=1 -X put /a', 'PUT'],
    ['curl -G -d x=1 /a', 'GET'],
  ] as const) {
    t.equal(parsePasted(line).method, method, line);
  }
});

void t.test('-G puts the data into the query', async (t) => {
  const { target, notes } = parsePasted("curl -G host/a?b=1 -d c=2 --data-urlencode 'd=x y&z'");
  t.equal(target, '/a?b=1&c=2&d=x%20y%26z');
  t.same(notes, []);
});

void t.test('who asks is known from -u, a bearer and a header', async (t) => {
  t.same(parsePasted('curl -u ada:pw /a').headers, [['authorization', 'Basic YWRhOnB3']]);
  t.same(parsePasted('curl --oauth2-bearer abc /a').headers, [['authorization', 'Bearer abc']]);
  t.same(parsePasted('curl -H "X-User-Id: u-7" /a').headers, [['x-user-id', 'u-7']]);
});

void t.test('options that say nothing about the request take their values with them', async (t) => {
  const { target } = parsePasted(
    'curl -s -o out.json --max-time 3 --connect-to a:1:b:2 -w "%{http_code}" /a',
  );
  t.equal(target, '/a');
});

void t.test('only the first command of a line counts', async (t) => {
  t.equal(parsePasted('curl -s /a | jq .; curl /b').target, '/a');
});

void t.test('what only files know is told', async (t) => {
  t.match(parsePasted('curl -H @headers.txt -b jar.txt /a').notes, [/headers\.txt/u, /jar\.txt/u]);
});

void t.test('a request as it goes over the wire', async (t) => {
  t.same(parsePasted('POST /api/orders HTTP/1.1\r\nHost: shop\r\nX-User-Id: u-7\r\n\r\n{}'), {
    method: 'POST',
    target: '/api/orders',
    headers: [
      ['host', 'shop'],
      ['x-user-id', 'u-7'],
    ],
    notes: ['The body was left out: it has no part in where a request goes.'],
  });
});

void t.test('a path or an address alone is a GET', async (t) => {
  t.match(parsePasted(' /api/orders '), { method: 'GET', target: '/api/orders', headers: [] });
  t.match(parsePasted('https://ada:pw@shop.example?q=1'), {
    target: '/?q=1',
    headers: [['host', 'shop.example']],
  });
});

void t.test('a path stays as it was written, dots and escapes too', async (t) => {
  const { target, notes } = parsePasted('curl http://shop/a/../%2e%2E/b//c');
  t.equal(target, '/a/../%2e%2E/b//c');
  t.match(notes, [/dots/u]);
  t.same(parsePasted('curl --path-as-is /a/../b').notes, []);
});

void t.test('a header that the line forbids is not added', async (t) => {
  t.same(parsePasted("curl -H 'Content-Type:' -H 'Host:' -d a=1 shop/a").headers, []);
});

void t.test('what is no request says why', async (t) => {
  t.throws(() => parsePasted('  '), { message: 'Nothing was pasted.' });
  t.throws(() => parsePasted("curl 'http://shop/a"), { message: /not closed/u });
  t.throws(() => parsePasted('curl -s'), { message: /no address/u });
  t.throws(() => parsePasted('curl /a -H'), { message: /-H has no value/u });
  t.throws(() => parsePasted('ftp://shop/a'), { message: /no address/u });
});

void t.test('the question has every header, and the user when there is one', async (t) => {
  const pasted = parsePasted("curl -H 'a: 1' -H 'a: 2' '/p?x=1&y=2'");
  t.equal(
    explainQuery(pasted, 'ü&1').toString(),
    'method=GET&path=%2Fp%3Fx%3D1%26y%3D2&user=%C3%BC%261&header.a=1&header.a=2',
  );
  t.notOk(explainQuery(pasted, '').has('user'));
});
