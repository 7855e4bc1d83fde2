/**
 * Bodies that are no JSON: texts by line, everything else by length and digest.
 */
import { hash } from 'node:crypto';
import type { Difference } from './difference.ts';
import { show } from './show-value.ts';

/** Where the first difference of two texts is, with the lines in which it is. The texts differ. */
export function textDifference(left: string, right: string): Difference {
  const length = Math.min(left.length, right.length);
  let at = 0;
  while (at < length && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  const begin = left.lastIndexOf('\n', at - 1) + 1;
  // In front of a difference at the very start there is no line end to look for.
  const lineBegin = at === 0 ? 0 : begin;
  const line = countLineEnds(left, lineBegin) + 1;
  return Object.freeze({
    path: `body[${line}]`,
    pattern: 'body[]',
    kind: 'text',
    left: show('string', excerpt(left, lineBegin, at)),
    right: show('string', excerpt(right, lineBegin, at)),
  });
}

const BEFORE = 120;
const SHOWN = 400;

/** The line from a little before the difference on. */
function excerpt(text: string, lineBegin: number, at: number): string {
  const begin = Math.max(lineBegin, at - BEFORE);
  const end = text.indexOf('\n', at);
  return text.slice(begin, Math.min(end < 0 ? text.length : end, begin + SHOWN));
}

function countLineEnds(text: string, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** Length and SHA-256: enough to tell which of two files was sent. The bodies differ. */
export function binaryDifference(left: Buffer, right: Buffer): Difference {
  return Object.freeze({
    path: 'body',
    pattern: 'body',
    kind: 'binary',
    left: show('bytes', describeBytes(left)),
    right: show('bytes', describeBytes(right)),
  });
}

export function describeBytes(bytes: Buffer): string {
  return `${bytes.length} bytes, sha256:${hash('sha256', bytes)}`;
}
