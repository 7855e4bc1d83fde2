import t from 'tap';
import { AnswerReader } from '../../src/upstream/answer-reader.ts';
import {
  type Asked,
  inPieces,
  type Outcome,
  type Reading,
  readAtEverySplit,
  readPieces,
} from './answer-readings.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

interface Expected extends Partial<Reading> {
  readonly untilClose?: boolean;
}

function whole(bytes: number, { untilClose = false, ...expected }: Expected): Outcome {
  const reading = {
    status: 200,
    reason: 'OK',
    headers: [],
    interims: [],
    body: '',
    trailers: [],
    keepsAlive: !untilClose,
    ...expected,
  };
  return { kind: 'whole', reading, untilClose, bytes };
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const IS_CHUNKED = ['Transfer-Encoding', 'chunked'];
const length = (bytes: number): string[] => ['Content-Length', String(bytes)];

const TAKEN: readonly [name: string, text: string, expected: Expected, asked?: Asked][] = [
  ['sized', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { headers: length(5), body: 'hello' }],
  ['empty', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', { headers: length(0) }],
  [
    'sized, of line ends',
    'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\r\n\r\n\r\n\r\n',
    { headers: length(8), body: '\r\n\r\n\r\n\r\n' },
  ],
  ['chunked', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, { headers: IS_CHUNKED, body: 'hello' }],
  [
    'chunked, in several',
    `${CHUNKED}3\r\nabc\r\nA\r\n0\r\n\r\n56789\r\n00001\r\nx\r\n00\r\n\r\n`,
    { headers: IS_CHUNKED, body: 'abc0\r\n\r\n56789x' },
  ],
  ['chunked, and empty', `${CHUNKED}0\r\n\r\n`, { headers: IS_CHUNKED }],
  [
    'chunked with extensions',
    `${CHUNKED}2;a\r\nok\r\n1;b="c;d"\r\nx\r\n1 ;e\r\ny\r\n1 \t;\r\nz\r\n0;f=g;h\r\n\r\n`,
    { headers: IS_CHUNKED, body: 'okxyz' },
  ],
  [
    'chunked with trailers',
    `${CHUNKED}2\r\nok\r\n0\r\nX-T: u\r\nx-v: \t w \r\n\r\n`,
    { headers: IS_CHUNKED, body: 'ok', trailers: ['X-T', 'u', 'x-v', 'w'] },
  ],
  [
    'until close',
    'HTTP/1.1 200 OK\r\nX: y\r\n\r\nall\r\n\r\nof it',
    { headers: ['X', 'y'], body: 'all\r\n\r\nof it', untilClose: true },
  ],
  ['until close, and empty', 'HTTP/1.1 200 OK\r\n\r\n', { untilClose: true }],
  [
    'identity',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Identity\r\n\r\nall',
    { headers: ['Transfer-Encoding', 'Identity'], body: 'all', untilClose: true },
  ],
  [
    'interim ones before',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 3\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok',
    {
      status: 201,
      reason: 'Created',
      headers: length(2),
      body: 'ok',
      interims: [
        { status: 100, reason: 'Continue', headers: [] },
        { status: 103, reason: 'Early Hints', headers: ['Link', '</a>', ...length(3)] },
      ],
    },
  ],
  [
    'to HEAD, with a length',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    { headers: length(5) },
    { isToHead: true },
  ],
  ['to HEAD, chunked', CHUNKED, { headers: IS_CHUNKED }, { isToHead: true }],
  ['to HEAD, without a length', 'HTTP/1.1 200 OK\r\n\r\n', {}, { isToHead: true }],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, reason: 'No Content' }],
  [
    '204 with a length',
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
    { status: 204, reason: 'No Content', headers: length(5) },
  ],
  [
    '304 with a length',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
    { status: 304, reason: 'Not Modified', headers: length(5) },
  ],
  ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx', { reason: '', headers: length(1), body: 'x' }],
  [
    'not even a space',
    'HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n',
    { status: 299, reason: '', headers: length(0) },
  ],
  [
    'bytes beyond ASCII',
    'HTTP/1.1 999 caf\xe9\r\nX-\x7e!: \xff\t\x80\r\nEmpty:\r\nBlank: \t \r\nContent-Length: 1\r\n\r\n\xfe',
    {
      status: 999,
      reason: 'caf\xe9',
      headers: ['X-~!', '\xff\t\x80', 'Empty', '', 'Blank', '', ...length(1)],
      body: '\xfe',
    },
  ],
  [
    'HTTP/1.0',
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx',
    { headers: length(1), body: 'x', keepsAlive: false },
  ],
  ['HTTP/1.0 until close', 'HTTP/1.0 200 OK\r\n\r\nx', { body: 'x', untilClose: true }],
];

for (const [name, text, expected, asked] of TAKEN) {
  void t.test(`an answer that is ${name} is read the same however it comes`, async (t) => {
    const bytes = latin1(text);
    for (const [split, outcome] of readAtEverySplit(bytes, asked))
      t.strictSame(outcome, whole(bytes.length, expected), split);
    if (expected.untilClose === true) return;
    for (const [split, outcome] of readAtEverySplit(latin1(`${text}HTTP/1.1 200 OK\r\n\r\n`), asked))
      t.strictSame(outcome, whole(bytes.length, expected), `with more behind it, ${split}`);
    for (const [split, outcome] of readAtEverySplit(bytes.subarray(0, -1), asked))
      t.strictSame(outcome, { kind: 'cut' }, `without its last byte, ${split}`);
  });
}

const KEPT: readonly [version: string, headers: string, keepsAlive: boolean][] = [
  ['1.1', '', true],
  ['1.1', 'Connection: keep-alive\r\n', true],
  ['1.1', 'Connection: upgrade\r\n', true],
  ['1.1', 'Connection: close\r\n', false],
  ['1.1', 'Connection: Keep-Alive, CLOSE\r\n', false],
  ['1.1', 'Connection: x\r\nconnection: \tclose \r\n', false],
  ['1.1', 'Connection: closed\r\n', true],
  ['1.0', '', false],
  ['1.0', 'Connection: Keep-Alive\r\n', true],
  ['1.0', 'Connection: x ,keep-alive\r\n', true],
  ['1.0', 'Connection: keep-alive, close\r\n', false],
  ['1.0', 'Connection: x\r\n', false],
];

void t.test('a connection may be used again where version and Connection say so', async (t) => {
  for (const [version, headers, keepsAlive] of KEPT) {
    const bytes = latin1(`HTTP/${version} 200 OK\r\n${headers}Content-Length: 0\r\n\r\n`);
    const outcome = readPieces([bytes]);
    t.equal(outcome.kind === 'whole' && outcome.reading.keepsAlive, keepsAlive, `${version} ${headers}`);
  }
  const chunksOf10 = `${CHUNKED.replace('1.1', '1.0').replace('OK\r\n', 'OK\r\nConnection: keep-alive\r\n')}0\r\n\r\n`;
  const outcome = readPieces([latin1(chunksOf10)]);
  t.equal(outcome.kind === 'whole' && outcome.reading.keepsAlive, false, 'chunks of HTTP/1.0');
});

const HINTS: readonly [headers: string, seconds: number | undefined][] = [
  ['', undefined],
  ['Keep-Alive: timeout=5\r\n', 5],
  ['Keep-Alive: max=9, Timeout=7\r\n', 7],
  ['Keep-Alive: timeout=5\r\nKeep-Alive: max=9\r\n', 5],
  ['Keep-Alive: max=9\r\n', undefined],
  ['Keep-Alive: xtimeout=5\r\n', undefined],
  ['Keep-Alive: timeout=x\r\n', undefined],
];

void t.test('how long a backend keeps a connection is read where it says so', async (t) => {
  for (const [headers, seconds] of HINTS) {
    const reader = new AnswerReader();
    reader.expect({ onAnswerBegun: nothing, onHead: nothing, onData: nothing }, false);
    const bytes = latin1(`HTTP/1.1 200 OK\r\n${headers}Content-Length: 0\r\n\r\n`);
    reader.read(bytes, bytes.length);
    t.equal(reader.head?.keepAliveS, seconds, headers);
  }
});

function nothing(): void {
  // Nobody listens.
}

void t.test('a head is taken up to its bound, and not beyond', async (t) => {
  const head = (bytes: number): Buffer => {
    const rest = 'HTTP/1.1 204 No\r\nX: \r\n\r\n';
    return latin1(rest.replace('X: ', `X: ${'x'.repeat(bytes - rest.length)}`));
  };
  for (const [split, { kind }] of readAtEverySplit(head(64), { headBytesMax: 64 }))
    t.equal(kind, 'whole', split);
  for (const [split, { kind }] of readAtEverySplit(head(65), { headBytesMax: 64 }))
    t.equal(kind, 'refused', split);
  for (const size of [101, 1_000, 65_535, 65_536, 65_537]) {
    t.equal(readPieces(inPieces(head(65_536), size)).kind, 'whole', `64 KiB in pieces of ${size}`);
    t.equal(readPieces(inPieces(head(65_537), size)).kind, 'refused', `a byte more, in pieces of ${size}`);
    const endless = latin1(`HTTP/1.1 200 OK\r\n${'x'.repeat(70_000)}`);
    t.equal(readPieces(inPieces(endless, size)).kind, 'refused', `without an end, in pieces of ${size}`);
  }
});

void t.test('trailers are taken up to their bound, and not beyond', async (t) => {
  const answer = (bytes: number): Buffer =>
    latin1(`${CHUNKED}0\r\nX: ${'x'.repeat(bytes - 'X: \r\n\r\n'.length)}\r\n\r\n`);
  for (const size of [101, 65_536, 100_000]) {
    t.equal(readPieces(inPieces(answer(65_536), size)).kind, 'whole', `in pieces of ${size}`);
    t.equal(readPieces(inPieces(answer(65_537), size)).kind, 'refused', `a byte more, in pieces of ${size}`);
  }
});

void t.test(
  'an extension, and the size of a chunk, are taken up to their bounds, and not beyond',
  async (t) => {
    const extended = (bytes: number): Buffer =>
      latin1(`${CHUNKED}1;${'x'.repeat(bytes - 1)}\r\nx\r\n0\r\n\r\n`);
    for (const size of [1, 1_000, 100_000]) {
      t.equal(readPieces(inPieces(extended(4_096), size)).kind, 'whole', `in pieces of ${size}`);
      t.equal(
        readPieces(inPieces(extended(4_097), size)).kind,
        'refused',
        `a byte more, in pieces of ${size}`,
      );
    }
    const sized = (digits: number): Buffer =>
      latin1(`${CHUNKED}${'1'.padStart(digits, '0')}\r\nx\r\n0\r\n\r\n`);
    for (const [split, { kind }] of readAtEverySplit(sized(12))) t.equal(kind, 'whole', split);
    for (const [split, { kind }] of readAtEverySplit(sized(13))) t.equal(kind, 'refused', split);
    const blanks = latin1(`${CHUNKED}1${' '.repeat(4_097)};x\r\nx\r\n0\r\n\r\n`);
    t.equal(readPieces([blanks]).kind, 'refused', 'white space before an extension is part of it');
  },
);

void t.test(
  'what lies together of several chunks is handed on in one piece, which is the listener’s to keep',
  async (t) => {
    const reader = new AnswerReader();
    const pieces: Buffer[] = [];
    reader.expect({ onAnswerBegun: nothing, onHead: nothing, onData: (piece) => pieces.push(piece) }, false);
    const bytes = latin1(`${CHUNKED}2\r\nab\r\n3\r\ncde\r\n1\r\nf\r\n0\r\n\r\nmore`);
    t.equal(reader.read(bytes, bytes.length), bytes.length - 4);
    t.equal(bytes.subarray(-4).toString(), 'more', 'what follows is left as it is');
    bytes.fill(0);
    t.strictSame(pieces.map(String), ['abcdef']);
    t.equal(reader.read(bytes, bytes.length), 0, 'the answer is over');
  },
);

void t.test('whoever is forgotten is told nothing more of what was read', async (t) => {
  for (const when of ['begun', 'head', 'data'] as const) {
    const told: string[] = [];
    const reader = new AnswerReader();
    const tell = (what: string): void => {
      told.push(what);
      if (what === when) reader.forget();
    };
    const listener = {
      onAnswerBegun: () => tell('begun'),
      onHead: () => tell('head'),
      onData: () => tell('data'),
    };
    reader.expect(listener, false);
    for (const byte of inPieces(latin1(`${CHUNKED}2\r\nab\r\n0\r\n\r\n`), 1)) reader.read(byte, byte.length);
    t.equal(told.at(-1), when);
    t.equal(told.length, ['begun', 'head', 'data'].indexOf(when) + 1);
  }
});
