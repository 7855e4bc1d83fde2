import t from 'tap';
import {
  type JobLine,
  jobLines,
  type UploadProgress,
  UploadRefused,
  uploadBeginning,
  uploadMembers,
  wholeLines,
} from '../../../src/console/cohort/upload-members.ts';

/** Takes every line, and refuses those that begin with `!`. */
function api(texts: string[], cut?: { readonly piece: number; readonly afterLine: number }) {
  return async function* send(piece: Blob, fromLine: number): AsyncGenerator<JobLine, void, void> {
    const lines = (await piece.text())
      .split('\n')
      .filter((line, at, all) => at < all.length - 1 || line !== '');
    texts.push(`${fromLine}:${lines.join('|')}`);
    let changed = 0;
    let refused = 0;
    for (const [index, user] of lines.entries()) {
      if (index + 1 < fromLine) continue;
      if (user.startsWith('!')) {
        refused += 1;
        yield { refused: { line: index + 1, user, reason: 'no user' } };
      } else changed += 1;
      yield { line: index + 1, changed, unchanged: 0, refused };
      if (cut?.piece === texts.length && cut.afterLine === index + 1) throw new Error('the connection broke');
    }
    yield { done: true, line: lines.length, changed, unchanged: 0, refused, epoch: texts.length };
  };
}

const FILE = new Blob(['ann\nbob\n!no\ncid\ndora']);

void t.test('a file is sent in pieces that end with a line', async (t) => {
  const texts: string[] = [];
  const seen: UploadProgress[] = [];
  const done = await uploadMembers({
    file: FILE,
    from: uploadBeginning(FILE.size),
    send: api(texts),
    onProgress: (progress) => seen.push(progress),
    pieceBytes: 9,
  });
  t.same(texts, ['1:ann|bob', '1:!no|cid', '1:dora']);
  const { piece: _piece, refusals, ...counts } = done;
  t.same(counts, { bytes: 20, bytesDone: 20, line: 5, changed: 4, unchanged: 0, refused: 1, epoch: 3 });
  t.same(refusals, [{ line: 3, user: '!no', reason: 'no user' }], 'with the number of its line in the file');
  const bytes = seen.map(({ bytesDone }) => bytesDone);
  t.same(
    bytes,
    bytes.toSorted((a, b) => a - b),
    'progress never goes back',
  );
});

void t.test('after a broken connection only what is not in force is sent again', async (t) => {
  const texts: string[] = [];
  let last = uploadBeginning(FILE.size);
  const upload = {
    file: FILE,
    onProgress: (progress: UploadProgress) => {
      last = progress;
    },
    pieceBytes: 9,
  };
  const broken = uploadMembers({ ...upload, from: last, send: api(texts, { piece: 2, afterLine: 1 }) });
  await t.rejects(broken, { message: 'the connection broke' });
  t.equal(last.line, 3, 'three lines are done');
  const done = await uploadMembers({ ...upload, from: last, send: api(texts) });
  t.same(texts, ['1:ann|bob', '1:!no|cid', '2:!no|cid', '1:dora']);
  t.same([done.line, done.changed, done.refused], [5, 4, 1]);
  t.equal(done.refusals.length, 1);
});

void t.test('an answer that ends too soon is no success', async (t) => {
  const send = async function* (): AsyncGenerator<JobLine, void, void> {
    yield { line: 1, changed: 1, unchanged: 0, refused: 0 };
  };
  const upload = uploadMembers({ file: FILE, from: uploadBeginning(FILE.size), send, onProgress: () => {} });
  await t.rejects(upload, UploadRefused);
});

void t.test('what the API says is thrown', async (t) => {
  const send = async function* (): AsyncGenerator<JobLine, void, void> {
    yield { error: { code: 'store_unavailable', detail: 'The record does not answer.' } };
  };
  const upload = uploadMembers({ file: FILE, from: uploadBeginning(FILE.size), send, onProgress: () => {} });
  await t.rejects(upload, { code: 'store_unavailable', message: 'The record does not answer.' });
});

void t.test('a line that is longer than a piece is refused before it is sent', async (t) => {
  const texts: string[] = [];
  const upload = uploadMembers({
    file: new Blob(['ann\n', 'x'.repeat(40)]),
    from: uploadBeginning(44),
    send: api(texts),
    onProgress: () => {},
    pieceBytes: 8,
  });
  await t.rejects(upload, /^Error: Line 2 has more than 8 bytes|Line 2 has more than 8 bytes/u);
  t.same(texts, ['1:ann']);
});

void t.test('lines are counted with the last one that has no end', async (t) => {
  const bytes = new TextEncoder().encode('a\nb\nc');
  t.same(wholeLines(bytes, false), { length: 4, lines: 2 });
  t.same(wholeLines(bytes, true), { length: 5, lines: 3 });
  t.same(wholeLines(new Uint8Array(), true), { length: 0, lines: 0 });
});

void t.test('lines of JSON are put together from pieces, and a cut one is left out', async (t) => {
  const pieces = async function* () {
    yield '{"line":1,"changed":1,"unchanged":0,';
    yield '"refused":0}\n\n{"line":2';
  };
  const lines: JobLine[] = [];
  for await (const line of jobLines(pieces())) lines.push(line);
  t.same(lines, [{ line: 1, changed: 1, unchanged: 0, refused: 0 }]);
});
