import { Readable } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { MemberLines, type RefusedLine } from '../../src/admin/member-lines.ts';
import type { MemberLine } from '../../src/cutover/control.ts';

interface Options {
  readonly fromLine?: number;
  readonly silentMs?: number;
  readonly stopping?: AbortSignal;
}

function reading(body: Readable, { fromLine = 1, silentMs = 10_000, stopping }: Options = {}) {
  const refused: RefusedLine[] = [];
  const signal = stopping ?? new AbortController().signal;
  const onRefused = (line: RefusedLine) => void refused.push(line);
  return { refused, lines: new MemberLines(body, { fromLine, silentMs, stopping: signal, onRefused }) };
}

/** The bytes, in pieces that end where they are told to. */
function inPieces(bytes: Buffer, cuts: readonly number[]): Readable {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  return Readable.from(
    pieces.filter(({ length }) => length > 0),
    { objectMode: false },
  );
}

void t.test('it does not matter where the pieces of an upload end', async (t) => {
  const user = fc.oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).filter((text) => !/[\r\n\ufeff]/u.test(text)),
    fc.constantFrom('x'.repeat(256), 'é'.repeat(128), '#', ' ', '\t'),
  );
  const bad = fc.constantFrom('x'.repeat(257), 'y'.repeat(1_025), 'z'.repeat(5_000));
  const line = fc.oneof({ weight: 5, arbitrary: user }, fc.constant(''), bad);
  const ending = fc.constantFrom('\n', '\r\n');
  const upload = fc.array(fc.tuple(line, ending), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(upload, fc.array(fc.nat(20_000)), fc.boolean(), async (written, cuts, open) => {
      const text = written.map(([each, end]) => each + end).join('');
      // The last line may lack its end.
      const whole = Buffer.from(open ? text.replace(/\r?\n$/u, '') : text);
      const { lines, refused } = reading(inPieces(whole, cuts));
      const found: { line: number; user: string }[] = [];
      for await (const each of lines.users()) found.push(each);
      const expected = written.map(([each], index) => ({ line: index + 1, user: each }));
      const isGood = ({ user: each }: { user: string }) => Buffer.byteLength(each) <= 256 && each !== '';
      const isBad = ({ user: each }: { user: string }) => Buffer.byteLength(each) > 256;
      t.same(found, expected.filter(isGood));
      t.same(
        refused.map(({ line: number }) => number),
        expected.filter(isBad).map(({ line: number }) => number),
      );
    }),
    { numRuns: 60 },
  );
});

void t.test('lines before the first wanted one are counted and skipped, bad ones too', async (t) => {
  const { lines, refused } = reading(inPieces(Buffer.from(`u1\n${'x'.repeat(300)}\nu3\nu4\n`), []), {
    fromLine: 3,
  });
  const found: MemberLine[] = [];
  for await (const line of lines.users()) found.push(line);
  t.same(found, [
    { line: 3, user: 'u3' },
    { line: 4, user: 'u4' },
  ]);
  t.same(refused, []);
});

void t.test('a client that falls silent ends the upload', async (t) => {
  const body = new Readable({ read: () => undefined });
  body.push('u1\nu2');
  const { lines } = reading(body, { silentMs: 20 });
  const users = lines.users();
  t.match(await users.next(), { value: { user: 'u1' } });
  await t.rejects(users.next(), { code: 'upload_stalled' });
  t.same(body.listenerCount('readable'), 0, 'nothing is left behind');
  body.destroy();
});

void t.test('an upload that is cut off ends in its last whole line', async (t) => {
  const body = new Readable({ read: () => undefined });
  body.push('u1\nu');
  const { lines } = reading(body);
  const users = lines.users();
  t.match(await users.next(), { value: { user: 'u1' } });
  body.destroy();
  await t.rejects(users.next(), { code: 'upload_cut' });
});

void t.test('it stops waiting when the listener closes', async (t) => {
  const body = new Readable({ read: () => undefined });
  const stop = new AbortController();
  const { lines } = reading(body, { stopping: stop.signal });
  const waiting = lines.users().next();
  stop.abort();
  await t.rejects(waiting, { code: 'shutting_down' });
  body.destroy();
});
