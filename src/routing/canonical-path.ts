/**
 * The form that a path has after the most forgiving backend has read it. The gateway forwards paths byte for
 * byte; if it routed by the bytes alone, `/public/..%2fadmin` would be policed as `/public/*` and served as
 * `/admin`. So a path that may mean something else to a backend is routed in both forms.
 */
import { percentDecodeBytes } from './percent-decode.ts';

const PERCENT = 37;
const HASH = 35;
const DOT = 46;
const SLASH = 47;
const QUESTION = 63;
const BACKSLASH = 92;
const LAST_ASCII = 127;

/**
 * Finds where the path ends (at the query or the end) and whether it may have another form.
 * One pass and no allocation: it runs for every request.
 * @returns the path's length; negated and minus one (`~length`) if the path may have another form
 */
export function scanPath(target: string): number {
  let suspicious = false;
  let i = 0;
  for (const length = target.length; i < length; i += 1) {
    const code = target.charCodeAt(i);
    // Lower-case letters first: they are most of what paths are made of.
    if (code > BACKSLASH && code <= LAST_ASCII) continue;
    if (code > SLASH) {
      if (code === QUESTION) break;
      if (code >= BACKSLASH) suspicious = true;
    } else if (code === SLASH || code === DOT) {
      if (i > 0 && target.charCodeAt(i - 1) === SLASH) suspicious = true;
    } else if (code === PERCENT || code === HASH) {
      suspicious = true;
    }
  }
  return suspicious ? ~i : i;
}

/**
 * The canonical form: percent-decoded once (`%2F` and `%5C` become separators, `%25` a plain percent sign),
 * `\` read as `/`, dot segments removed, repeated slashes made one. A `#` ends the path. Dot segments may
 * carry path parameters (`..;x`), which servlet containers cut off.
 * @param path without its query, one character for a byte
 * @returns a path of the same kind. It is not encoded again: a decoded `?` or `%` in it is a plain character.
 */
export function canonicalPath(path: string): string {
  const hash = path.indexOf('#');
  const decoded = percentDecodeBytes(hash < 0 ? path : path.slice(0, hash)).replaceAll('\\', '/');
  const kept: string[] = [];
  let endsInFolder = false;
  for (const segment of decoded.split('/')) {
    const name = dotName(segment);
    endsInFolder = name !== undefined || segment === '';
    if (name === '..') kept.pop();
    else if (name === undefined && segment !== '') kept.push(segment);
  }
  if (kept.length === 0) return '/';
  return `/${kept.join('/')}${endsInFolder ? '/' : ''}`;
}

/** `.` or `..` if the segment is one of them, its path parameters aside. */
function dotName(segment: string): '.' | '..' | undefined {
  if (segment.charCodeAt(0) !== DOT) return undefined;
  const end = segment.indexOf(';');
  const name = end < 0 ? segment : segment.slice(0, end);
  return name === '.' || name === '..' ? name : undefined;
}
