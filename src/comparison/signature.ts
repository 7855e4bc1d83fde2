/**
 * What makes two differences one finding: the same kind of thing at the same kind of place.
 */
import type { Difference } from './difference.ts';

const PATTERN_CHARACTERS_MAX = 512;

/**
 * A stable text, the same for every difference that belongs into one group. It holds no value.
 * @param route the name of the route; groups of two routes are never one
 */
export function signatureOf(route: string, difference: Difference): string {
  const { kind, pattern, left, right } = difference;
  const place =
    pattern.length > PATTERN_CHARACTERS_MAX ? `${pattern.slice(0, PATTERN_CHARACTERS_MAX)}…` : pattern;
  // Of a status it matters which: 200 and 404 is another finding than 200 and 500.
  const types = kind === 'status' ? [left.value, right.value] : [left.type, right.type];
  return JSON.stringify([route, kind, place, types]);
}

/**
 * How much a difference weighs where groups are put in order, 1 to 100: whether somebody who reads the answer
 * would fail, would see something else, or would hardly notice.
 */
export function weightOf({ kind, right }: Difference): number {
  switch (kind) {
    case 'status':
      return typeof right.value === 'number' && right.value >= 500 ? 100 : 80;
    case 'timeout':
    case 'error':
      return 100;
    case 'encoding':
    case 'invalid-json':
      return 90;
    case 'missing':
    case 'type':
      return 60;
    case 'value':
    case 'text':
    case 'binary':
      return 50;
    case 'content-type':
    case 'duplicate-key':
      return 40;
    case 'header':
    case 'order':
      return 30;
    case 'extra':
      return 20;
    default:
      return kind satisfies never;
  }
}
