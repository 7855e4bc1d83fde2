/**
 * The words that the schema is made of: each is a JSON schema with bounds, and what was expected in words.
 */
import {
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from '@sinclair/typebox';

/** RFC 9110 `token`: header names, methods. */
const TOKEN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/** A mapping with exactly these keys. */
export function mapping<T extends TProperties>(
  properties: T,
  options: Record<string, unknown> = {},
): TObject<T> {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** A mapping that is there, with its defaults, when it is not written. */
export function section<T extends TProperties>(properties: T): TObject<T> {
  return mapping(properties, { default: {} });
}

/** One of several mappings, told apart by the value of one key. */
export function variants<T extends TObject[]>(
  key: string,
  oneOf: [...T],
  options: Record<string, unknown> = {},
): TUnsafe<Static<T[number]>> {
  return Type.Unsafe<Static<T[number]>>({
    type: 'object',
    discriminator: { propertyName: key },
    oneOf,
    ...options,
  });
}

/** A duration in whole milliseconds. */
export function milliseconds(byDefault: number, minimum: number, maximum: number) {
  const expected = `whole milliseconds from ${minimum} to ${maximum}`;
  return Type.Integer({ default: byDefault, minimum, maximum, expected });
}

/** A size in whole bytes. */
export function bytes(byDefault: number, minimum: number, maximum: number) {
  return Type.Integer({
    default: byDefault,
    minimum,
    maximum,
    expected: `whole bytes from ${minimum} to ${maximum}`,
  });
}

/** A number of things. */
export function count(byDefault: number, minimum: number, maximum: number) {
  return Type.Integer({ default: byDefault, minimum, maximum });
}

/** A share of a whole, 0 to 1. */
export function share(byDefault: number) {
  return Type.Number({ default: byDefault, minimum: 0, maximum: 1 });
}

export function flag(byDefault: boolean) {
  return Type.Boolean({ default: byDefault });
}

export function choice<const T extends readonly string[]>(values: T, byDefault?: T[number]) {
  const options = byDefault === undefined ? {} : { default: byDefault };
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
}

export function text(options: Record<string, unknown> = {}) {
  return Type.String({ minLength: 1, maxLength: 4096, expected: 'text', ...options });
}

export function path() {
  return text({ expected: 'the path of a file' });
}

export function headerName(options: Record<string, unknown> = {}) {
  return text({ pattern: TOKEN, maxLength: 128, expected: 'the name of a header', ...options });
}

export function cohortName() {
  return text({
    pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
    expected: '1 to 63 lower-case letters, digits, _ and -, the first a letter or a digit',
  });
}

export function list<T extends TSchema>(items: T, options: Record<string, unknown> = {}) {
  return Type.Array(items, { maxItems: 1000, ...options });
}
