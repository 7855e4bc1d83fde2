/**
 * Whether a read that was asked again met the situation of its sample. It may have been asked as somebody else, since
 * credentials are not stored, or the data has changed: two sides that agree on another user's data say nothing of the
 * difference. So the side that served the user has to show again, at the very place, what it showed then.
 */
import { decodeBody, encodingsOf } from '../comparison/decode-body.ts';
import { DEFAULT_LIMITS, type Difference, type ShownValue } from '../comparison/difference.ts';
import { parsePath } from '../comparison/json-path.ts';
import { isArray, isObject, type Json, member } from '../comparison/json-tree.ts';
import { headerValues, type Observation } from '../comparison/observation.ts';
import { parseJson } from '../comparison/parse-json.ts';
import { showJson } from '../comparison/show-value.ts';
import { isRedacted } from './redaction.ts';

/**
 * @param difference of the sample, as it was stored
 * @param answer of the side that served the user then, to the read that was asked again
 * @param status that it had then
 */
export function isSameSituation(difference: Difference, answer: Observation, status: number): boolean {
  const { kind, path, left } = difference;
  if (kind === 'timeout' || kind === 'error') return sort(answer.status) === sort(status) || status === 0;
  if (answer.status !== status) return false;
  if (path.startsWith('header.'))
    return isSameHeader(left, headerValues(answer, path.slice('header.'.length)));
  // A text as a whole, or a status: there is no place in it to look at.
  if (!path.startsWith('$')) return true;
  const found = valueAt(path, answer);
  return found !== undefined && isSameShown(left, found);
}

function sort(status: number): number {
  return Math.floor(status / 100);
}

function isSameHeader(left: ShownValue, values: readonly string[]): boolean {
  if (left.type === 'absent') return values.length === 0;
  return isRedacted(left.value) ? values.length > 0 : values.join(', ') === left.value;
}

/** What stands at a path; `undefined` where even the place in which it would stand is not there. */
function valueAt(path: string, answer: Observation): ShownValue | undefined {
  const parsed = parsePath(path);
  const root = documentOf(answer);
  if (parsed.problem !== undefined || root === undefined) return undefined;
  let value: Json | undefined = root;
  for (const { match } of parsed.steps) {
    if (match.kind === 'name' && isObject(value)) value = member(value, match.name);
    else if (match.kind === 'index' && isArray(value)) value = value[match.index];
    else return undefined;
  }
  return showJson(value);
}

function documentOf(answer: Observation): Json | undefined {
  if (answer.body === undefined) return undefined;
  const encodings = encodingsOf(headerValues(answer, 'content-encoding'));
  const decoded = decodeBody(answer.body, encodings, DEFAULT_LIMITS.decodedBytesMax);
  if (decoded.kind !== 'decoded') return undefined;
  const read = parseJson(decoded.bytes, { depthMax: DEFAULT_LIMITS.depthMax });
  return read.kind === 'json' ? read.document.root : undefined;
}

/** A hash of another process cannot be made again: of a hidden value the type has to do. */
function isSameShown(then: ShownValue, now: ShownValue): boolean {
  if (then.type !== now.type) return false;
  if (isRedacted(then.value)) return true;
  if (then.type === 'array' || then.type === 'object') return true;
  return JSON.stringify(then.value) === JSON.stringify(now.value);
}
