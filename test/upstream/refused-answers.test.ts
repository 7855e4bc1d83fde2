import t from 'tap';
import { readAtEverySplit } from './answer-readings.ts';

const HEADS: readonly [name: string, head: string][] = [
  ['HTTP/0.9', '<html>hello</html>'],
  ['another word', 'HTML is not HTTP, and says no more'],
  ['nearly HTTP', 'HTTP 1.1 200 OK\r\n\r\n'],
  ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['HTTP/1.10', 'HTTP/1.10 200 OK\r\n\r\n'],
  ['a lower-case version', 'http/1.1 200 OK\r\n\r\n'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['a tab before the status', 'HTTP/1.1\t200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a status that runs into its reason', 'HTTP/1.1 200OK\r\n\r\n'],
  ['no status', 'HTTP/1.1\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
  ['a CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
  ['a LF in the reason', 'HTTP/1.1 200 O\nK\r\n\r\n'],
  ['a first line that ends in LF', 'HTTP/1.1 200 OK\nX: y\r\n\r\n'],
  ['a line that ends in LF', 'HTTP/1.1 200 OK\r\nX: y\nZ: a\r\n\r\n'],
  ['a line that ends in CR', 'HTTP/1.1 200 OK\r\nX: y\rZ: a\r\n\r\n'],
  ['a line that ends in CR CR LF', 'HTTP/1.1 200 OK\r\nX: y\r\r\nZ: a\r\n\r\n'],
  ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: y\0\r\n\r\n'],
  ['a DEL in a value', 'HTTP/1.1 200 OK\r\nX: y\x7f\r\n\r\n'],
  ['a vertical tab in a value', 'HTTP/1.1 200 OK\r\nX: y\x0bz\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nX : y\r\n\r\n'],
  ['a space in a name', 'HTTP/1.1 200 OK\r\nX Y: y\r\n\r\n'],
  ['a byte beyond ASCII in a name', 'HTTP/1.1 200 OK\r\nX\xe4: y\r\n\r\n'],
  ['an empty name', 'HTTP/1.1 200 OK\r\n: y\r\n\r\n'],
  ['a line without a colon', 'HTTP/1.1 200 OK\r\nX\r\nY: z\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: y\r\n z: a\r\n\r\n'],
  ['a folded first line', 'HTTP/1.1 200 OK\r\n X: y\r\n\r\n'],
  ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['a broken interim answer', 'HTTP/1.1 100 Continue\r\nX\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'],
  ['something else behind an interim one', 'HTTP/1.1 100 Continue\r\n\r\nGET / HTTP/1.1\r\n\r\n'],
];

const FRAMINGS: readonly string[] = [
  'Content-Length: 2\r\nContent-Length: 2',
  'Content-Length: 2\r\ncontent-length: 3',
  'Content-Length: 2, 2',
  'Content-Length: +2',
  'Content-Length: -2',
  'Content-Length: 0x2',
  'Content-Length: 2.0',
  'Content-Length: 2 2',
  'Content-Length: "2"',
  'Content-Length:',
  'Content-Length: 1000000000000000',
  'Content-Length: 18446744073709551618',
  'Content-Length: 2\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 2',
  'Transfer-Encoding: identity\r\nContent-Length: 2',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding:',
];

const CHUNKS: readonly [name: string, body: string][] = [
  ['no size', '\r\nok\r\n0\r\n\r\n'],
  ['no size but an extension', ';x\r\nok\r\n0\r\n\r\n'],
  ['a space before the size', ' 2\r\nok\r\n0\r\n\r\n'],
  ['a space behind the size', '2 \r\nok\r\n0\r\n\r\n'],
  ['something behind a space', '2 2\r\nok\r\n0\r\n\r\n'],
  ['a sign', '+2\r\nok\r\n0\r\n\r\n'],
  ['a minus', '-2\r\nok\r\n0\r\n\r\n'],
  ['0x', '0x2\r\nok\r\n0\r\n\r\n'],
  ['a digit that is none', '2g\r\nok\r\n0\r\n\r\n'],
  ['a size that ends in LF', '2\nok\r\n0\r\n\r\n'],
  ['a size that ends in CR', '2\rok\r\n0\r\n\r\n'],
  ['a size that ends in CR CR LF', '2\r\r\nok\r\n0\r\n\r\n'],
  ['a NUL in an extension', '2;\0\r\nok\r\n0\r\n\r\n'],
  ['a LF in an extension', '2;a\nb\r\nok\r\n0\r\n\r\n'],
  ['a CR in an extension', '2;a\rb\r\nok\r\n0\r\n\r\n'],
  ['a chunk that ends in LF', '2\r\nok\n0\r\n\r\n'],
  ['a chunk that ends in CR', '2\r\nok\r0\r\n\r\n'],
  ['a chunk that ends in CR and something', '2\r\nok\rx0\r\n\r\n'],
  ['a chunk that ends in CR CR', '2\r\nok\r\r0\r\n\r\n'],
  ['a chunk longer than its size', '2\r\nokay\r\n0\r\n\r\n'],
  ['a last chunk that ends in LF', '2\r\nok\r\n0\n\r\n'],
  ['a folded trailer', '2\r\nok\r\n0\r\n X: y\r\n\r\n'],
  ['a trailer without a colon', '2\r\nok\r\n0\r\nX\r\n\r\n'],
  ['a space before the colon of a trailer', '2\r\nok\r\n0\r\nX : y\r\n\r\n'],
  ['a trailer that ends in LF', '2\r\nok\r\n0\r\nX: y\nZ: a\r\n\r\n'],
  ['a NUL in a trailer', '2\r\nok\r\n0\r\nX: \0\r\n\r\n'],
  ['a Content-Length behind the body', '2\r\nok\r\n0\r\nContent-Length: 2\r\n\r\n'],
];

const ANSWERS = new Map<string, string>(HEADS);
for (const framing of FRAMINGS)
  ANSWERS.set(
    framing.replaceAll('\r\n', ' and '),
    `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  );
for (const [name, body] of CHUNKS)
  ANSWERS.set(name, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);

for (const [name, text] of ANSWERS) {
  void t.test(`an answer with ${name} is refused however it comes`, async (t) => {
    for (const [split, { kind }] of readAtEverySplit(Buffer.from(text, 'latin1')))
      t.equal(kind, 'refused', split);
  });
}

void t.test('a refusal is for the same reason however the answer comes', async (t) => {
  for (const [name, text] of ANSWERS) {
    const outcomes = readAtEverySplit(Buffer.from(text, 'latin1'));
    const reasons = new Set(
      [...outcomes.values()].map((outcome) => outcome.kind === 'refused' && outcome.reason),
    );
    t.equal(reasons.size, 1, name);
  }
});

void t.test('what no other reader would take is refused for HEAD, 204 and 304 too', async (t) => {
  for (const framing of FRAMINGS) {
    for (const status of ['200 OK', '204 No Content', '304 Not Modified']) {
      const bytes = Buffer.from(`HTTP/1.1 ${status}\r\n${framing}\r\n\r\n`, 'latin1');
      for (const [split, { kind }] of readAtEverySplit(bytes, { isToHead: true }))
        t.equal(kind, 'refused', split);
    }
  }
});
