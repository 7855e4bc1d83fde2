/** Answers, and what chance makes of them: the same for the same seed. */

export interface MutatedAnswer {
  readonly method: 'GET' | 'HEAD';
  readonly bytes: Buffer;
}

const BODY = 'Transfer-Encoding: chunked\r\n\r\n';

/** Each is valid, or nearly. */
export const CORPUS: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nX-A: b\r\nx-a:  c \t\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end, too\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nrest',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 40\r\n\r\n',
  'HTTP/1.1 304 \r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx',
  `HTTP/1.1 200 OK\r\n${BODY}5\r\nhello\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${BODY}3\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${BODY}5;a=b\r\nhello\r\n1;c="d e";f\r\nx\r\n0;last\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${BODY}5 ;a\r\nhello\r\n1\t; b=c\r\nx\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${BODY}5;\r\nhello\r\n1;a;b = "\\"c"\r\nx\r\n0 \r\n\r\n`,
  `HTTP/1.1 200 OK\r\nTrailer: X-T\r\n${BODY}2\r\nok\r\n0\r\nX-T: u\r\nx-v:  w \r\n\r\n`,
  `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${BODY}2\r\nok\r\n0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\nConnection: close, x\r\n${BODY}2\r\nok\r\n0\r\n\r\n`,
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nuntil the end',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n${BODY}2\r\nok\r\n0\r\n\r\n`,
  'HTTP/1.1 102 Processing\r\nX: y\r\nContent-Length: 3\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nx',
  'HTTP/1.1 200 caf\xe9\r\nX-B: \xe4\xf6\xfc\r\nSet-Cookie: a=b; c\r\nSet-Cookie: d=e\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx',
];

/** What is put in, now and then in place of a byte. */
const TOKENS: readonly string[] = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  ':',
  ' ',
  '\t',
  '\0',
  ',',
  ';',
  '"',
  '=',
  '-',
  '+',
  '0',
  '1',
  'f',
  '0x',
  '\x01',
  '\x0b',
  '\x7f',
  '\x85',
  '\xff',
  ' \r\n',
  '\r\n ',
  '\r\n\t',
  '\r\nX: y',
  '\r\nX : y',
  '\r\n: y',
  '\r\nX',
  'Content-Length: 3\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: +5\r\n',
  'Content-Length: 5, 5\r\n',
  'content-length:\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding: CHUNKED\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding: identity\r\n',
  'Transfer-Encoding: xchunked\r\n',
  'Transfer-Encoding: \tchunked \r\n',
  'Transfer-Encoding:\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: keep-alive, close\r\n',
  'Connection: x,close\r\n',
  'Connection: closed\r\n',
  'Connection:\r\n',
  'Upgrade: x\r\n',
  'Trailer: X\r\n',
  '0\r\n\r\n',
  '5\r\n',
  '00000000000000003\r\n',
  'fffffffffffff\r\n',
  '3;x\r\n',
  '3 ;x\r\n',
  '3 \r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.1',
  ' 204 ',
  ' 304 ',
  ' 099 ',
];

/** 0 up to 1, not included. */
type Chance = () => number;

/** mulberry32: the same numbers for the same seed. */
function chanceOf(seed: number): Chance {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One answer of the corpus, changed in one to four places. */
export function mutatedAnswer(seed: number): MutatedAnswer {
  const chance = chanceOf(seed);
  const below = (end: number): number => Math.floor(chance() * end);
  let text = CORPUS[below(CORPUS.length)] ?? '';
  for (let changes = 1 + below(4); changes > 0; changes -= 1) text = changed(text, below);
  return { method: below(8) === 0 ? 'HEAD' : 'GET', bytes: Buffer.from(text, 'latin1') };
}

function changed(text: string, below: (end: number) => number): string {
  const at = place(text, below);
  const size = 1 + below(below(2) === 0 ? 3 : 20);
  const token = TOKENS[below(TOKENS.length)] ?? '';
  switch (below(8)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1);
    case 1:
      return (
        text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << below(8))) + text.slice(at + 1)
      );
    case 2:
      return text.slice(0, at) + text.slice(at + size);
    case 3:
      return text.slice(0, at + size) + text.slice(at);
    case 4:
      return below(4) === 0 ? text.slice(0, at) : text + (CORPUS[below(CORPUS.length)] ?? '');
    case 5:
      return text.slice(0, at) + token + text.slice(at + 1);
    default:
      return text.slice(0, at) + token + text.slice(at);
  }
}

/** Often where a line begins or ends: that is where readers differ. */
function place(text: string, below: (end: number) => number): number {
  const at = below(text.length + 1);
  if (below(2) === 0) return at;
  const eol = text.indexOf('\r\n', at);
  return eol < 0 ? at : eol + 2 * below(2);
}
