/**
 * Answers that chance has changed, read by the gateway's reader and by Node's: what the gateway takes, Node takes as the
 * same answer. Only in the places listed here they differ.
 */
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { inPieces, type Outcome, readPieces } from './answer-readings.ts';
import { CORPUS, type MutatedAnswer, mutatedAnswer } from './mutated-answers.ts';
import { NodeReading } from './node-reading.ts';

const CASES = 4_000;

const areSame = (one: unknown, other: unknown): boolean => isDeepStrictEqual(one, other);

/** Why the gateway may refuse what Node takes: by its own words. */
const REFUSED = new Map<string, string>([
  [
    'a first line that is none of HTTP/1.1',
    'empty lines before, other protocols and versions, a status below 100',
  ],
  ['a control character in the head', 'Node lets them pass in a reason; nobody means them (RFC 9112, 4)'],
  ['a Transfer-Encoding other than chunked', 'Node reads the rest until the close; no coding was asked for'],
  ['more than one Transfer-Encoding', 'Node takes the last; another reader the first'],
  [
    'a Content-Length that is no number of bytes',
    'more than 15 digits are no length that anybody could send',
  ],
  ['an upgrade that nobody asked for', 'a 101 to a request without Upgrade (RFC 9110, 15.2.2)'],
]);

/** Why Node may not take what the gateway takes: by the code of its parser, and by what it is in. */
const TAKEN: readonly { readonly code: string | undefined; readonly where: RegExp; readonly why: string }[] =
  [
    {
      code: 'HPE_INVALID_CHUNK_SIZE',
      where: /\n[0-9a-f]+[ \t]+;/i,
      why: 'white space before an extension has to be taken (RFC 9112, 7.1.1)',
    },
    {
      code: 'HPE_STRICT',
      where: /\n[0-9a-f]+[ \t]*;/i,
      why: 'an extension is ignored up to its CR LF, of whatever form it is (RFC 9112, 7.1.1)',
    },
    {
      code: 'HPE_CLOSED_CONNECTION',
      where: /HTTP\/1\.0 1\d\d|HTTP\/1\.1 1\d\d[^]*\nconnection:[^\r]*close/i,
      why: 'the connection is closed after the answer that an interim one announces (RFC 9112, 9.6)',
    },
    {
      code: undefined,
      where: /transfer-encoding:[ \t]*chunked *\t/i,
      why: 'a tab behind a value is no part of it (RFC 9110, 5.5); Node waits for the close',
    },
  ];

/** What is wrong with how the two read it, if anything. */
async function difference({ method, bytes }: MutatedAnswer): Promise<string | undefined> {
  const isToHead = method === 'HEAD';
  const ours = readPieces([bytes], { isToHead });
  const slowly = readPieces(inPieces(bytes, 1), { isToHead });
  if (!areSame(ours, slowly)) return 'in pieces it is another answer';
  const node = new NodeReading(method);
  try {
    return ours.kind === 'whole'
      ? await differenceInTaken(ours, bytes, isToHead, node)
      : await refusedBy(ours, bytes, node);
  } finally {
    node.stop();
  }
}

async function differenceInTaken(
  { reading, bytes: size, untilClose }: Extract<Outcome, { kind: 'whole' }>,
  bytes: Buffer,
  isToHead: boolean,
  node: NodeReading,
): Promise<string | undefined> {
  await node.feed(bytes.subarray(0, size - 1));
  if (node.reading() !== undefined) return 'for Node it ends before';
  await node.feed(bytes.subarray(size - 1, size));
  if (untilClose) {
    if (node.reading() !== undefined) return 'for Node it does not end with the connection';
    await node.end();
  }
  const theirs = node.reading();
  if (theirs === undefined)
    return differsAsListed(node.refusal, bytes) ? undefined : `Node does not take it: ${node.refusal}`;
  if (!areSame({ ...theirs, keepsAlive: true }, { ...reading, keepsAlive: true }))
    return 'they read two answers';
  if (theirs.keepsAlive === reading.keepsAlive) return undefined;
  return isUsedAgainAsListed(reading.keepsAlive, isToHead, bytes)
    ? undefined
    : 'one of them would use the connection again';
}

function differsAsListed(refusal: string | undefined, bytes: Buffer): boolean {
  const text = bytes.toString('latin1');
  return TAKEN.some(({ code, where }) => code === refusal && where.test(text));
}

function isUsedAgainAsListed(byUs: boolean, isToHead: boolean, bytes: Buffer): boolean {
  // Node decides before it knows that nothing follows an answer to HEAD, whatever it says of a length (RFC 9112, 6.3).
  if (byUs) return isToHead;
  const head = bytes.toString('latin1');
  // Chunks, which HTTP/1.0 does not know (RFC 9112, 6.1); and a close that stands beside a keep-alive.
  return /HTTP\/1\.0[^]*(?:transfer-encoding|connection:[^\r]*close)/i.test(head);
}

async function refusedBy(ours: Outcome, bytes: Buffer, node: NodeReading): Promise<string | undefined> {
  await node.feed(bytes);
  await node.end();
  if (node.reading() === undefined) return undefined;
  if (ours.kind !== 'refused') return 'for Node it is whole';
  return REFUSED.has(ours.reason) ? undefined : `Node takes it, and the gateway not: ${ours.reason}`;
}

void t.test('what the gateway takes for an answer is that answer for Node too', async (t) => {
  const kinds = new Map<string, number>();
  for (let seed = 1; seed <= CASES; seed += 1) {
    const mutated = mutatedAnswer(seed);
    const { kind } = readPieces([mutated.bytes], { isToHead: mutated.method === 'HEAD' });
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const wrong = await difference(mutated);
    if (wrong !== undefined) {
      const text = JSON.stringify(mutated.bytes.toString('latin1'));
      t.fail(`${wrong}: seed ${seed}, to ${mutated.method}, ${text}`);
    }
  }
  for (const kind of ['whole', 'refused', 'cut'])
    t.ok((kinds.get(kind) ?? 0) > CASES / 20, `many are ${kind}`);
});

void t.test('unchanged, and cut at every place, the answers are the same for both', async (t) => {
  for (const text of CORPUS) {
    for (const method of ['GET', 'HEAD'] as const) {
      for (let size = 1; size <= text.length; size += 1) {
        const bytes = Buffer.from(text.slice(0, size), 'latin1');
        t.equal(
          await difference({ method, bytes }),
          undefined,
          `${method} ${JSON.stringify(bytes.toString('latin1'))}`,
        );
      }
    }
  }
});
