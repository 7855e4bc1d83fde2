/**
 * Where a value stands in the configuration: the keys and indexes that lead to it.
 */

export type Place = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/;

/**
 * Whether it looks like the key of a configuration. Anything else may be a value in the wrong place, or a line
 * of a file that is no configuration at all: messages do not show it where it is not known.
 */
export function isPlainKey(key: string): boolean {
  return PLAIN_KEY.test(key);
}

/** The place as people write it: `routes[2].shadow.compare.arrays["$.items"]`. */
export function printPlace(place: Place): string {
  let text = '';
  for (const step of place) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!isPlainKey(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** A key for maps: two places are equal exactly when their keys are. */
export function placeKey(place: Place): string {
  return JSON.stringify(place);
}

/** Reads a JSON pointer (RFC 6901) against the value that it points into, which tells indexes from keys. */
export function placeOfPointer(pointer: string, root: unknown): Place {
  const place: (string | number)[] = [];
  let value = root;
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    const index = Number(step);
    place.push(Array.isArray(value) ? index : step);
    value = childAt(value, Array.isArray(value) ? index : step);
  }
  return place;
}

/** The value one step further in, or `undefined`. */
export function childAt(value: unknown, step: string | number): unknown {
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined;
  if (!isMapping(value) || !Object.hasOwn(value, step)) return undefined;
  return value[step];
}

/** Whether the value is a mapping (not a list, not nothing). */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
