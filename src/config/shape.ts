/**
 * Validation by schema: keys, types, bounds. What the validator says is put into our words, one sentence for
 * one mistake, and never shows a secret.
 */
import type { TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { nearestKey } from './nearest-key.ts';
import { childAt, isMapping, isPlainKey, type Place, placeKey, placeOfPointer, printPlace } from './place.ts';
import type { Report } from './report.ts';
import { allows, type SchemaNode, variantNames } from './schema-walk.ts';

/** Texts longer than this are cut where a message shows them. */
const SHOWN_CHARACTERS_MAX = 60;

/** Where secrets are written, only an unknown key that is a plain word is shown. */
const WORD = /^[A-Za-z]{1,24}$/;

/**
 * With all that it has compiled, half a megabyte of text and as much of code, which a process that serves needs for a
 * reload only: it may be collected, and is then made again.
 */
let kept: WeakRef<Ajv> | undefined;

function validator(): Ajv {
  const ajv = kept?.deref();
  if (ajv !== undefined) return ajv;
  const created = createValidator();
  kept = new WeakRef(created);
  return created;
}

function createValidator(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    discriminator: true,
    // Gives each error its schema and its value.
    verbose: true,
  });
  return ajv.addVocabulary(['expected', 'secret']);
}

/** Gives a type guard made from a schema. Not to be held on to. */
export type Shape<T> = () => ValidateFunction<T>;

export function shapeOf<T>(schema: TSchema): Shape<T> {
  return () => validator().compile<T>(schema);
}

/** By place: the environment variables whose values are in the text there. */
export type Variables = ReadonlyMap<string, readonly string[]>;

/**
 * Reports what is wrong with the value's shape.
 * @param at where the value stands in the configuration
 * @returns whether its shape is right
 */
export function checkShape<T>(
  shape: Shape<T>,
  value: unknown,
  at: Place,
  variables: Variables,
  report: Report,
): value is T {
  const isShaped = shape();
  if (isShaped(value)) return true;
  for (const error of isShaped.errors ?? []) {
    const place = [...at, ...placeOfPointer(error.instancePath, value)];
    reportOne(error, place, variables, report);
  }
  return false;
}

function reportOne(error: ErrorObject, place: Place, variables: Variables, report: Report): void {
  const schema: SchemaNode = error.parentSchema ?? {};
  if (error.keyword === 'additionalProperties') return reportUnknownKey(error, schema, place, report);
  if (error.keyword === 'required') {
    const key = String(paramOf(error, 'missingProperty'));
    const expected = expectation(schema.properties?.[key] ?? {});
    return report.problem([...place, key], `missing; expected ${expected}`, { expected });
  }
  if (error.keyword === 'discriminator') return reportVariant(error, schema, place, variables, report);
  if (error.keyword === 'uniqueItems') return reportTwice(error, place, report);
  const from = variables.get(placeKey(place));
  const expected = isLength(error) ? lengths(schema) : expectation(schema);
  reportMismatch(place, expected, describeFound(error.data, schema, from), report, {
    meant: from === undefined ? error.data : undefined,
    known: (schema.enum ?? []).map(String),
  });
}

/** The sentence for most mistakes, with the nearest of the known values. */
function reportMismatch(
  place: Place,
  expected: string,
  found: string,
  report: Report,
  { meant, known }: { readonly meant: unknown; readonly known: readonly string[] },
): void {
  const suggestion = typeof meant === 'string' ? nearestKey(meant, known) : undefined;
  const hint = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`;
  report.problem(place, `expected ${expected}; found ${found}${hint}`, {
    expected,
    found,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

function reportTwice(error: ErrorObject, place: Place, report: Report): void {
  const [first, second] = [Number(paramOf(error, 'j')), Number(paramOf(error, 'i'))];
  report.problem(
    [...place, Math.max(first, second)],
    `the same as ${printPlace([...place, Math.min(first, second)])}`,
  );
}

function isLength(error: ErrorObject): boolean {
  return error.keyword === 'minItems' || error.keyword === 'maxItems';
}

function lengths(schema: SchemaNode): string {
  if (schema.expected !== undefined) return schema.expected;
  return `a list of ${schema.minItems ?? 0} to ${schema.maxItems}`;
}

function reportUnknownKey(error: ErrorObject, schema: SchemaNode, place: Place, report: Report): void {
  const key = String(paramOf(error, 'additionalProperty'));
  const known = Object.keys(schema.properties ?? {});
  const expected = `one of ${known.join(', ')}`;
  const message = `unknown key${forVariant(schema)}; expected ${expected}`;
  // `{ name: ops, hunter }` is a key without a value: somebody's token, perhaps.
  const isBare = schema.secret === true && childAt(error.data, key) === null;
  const mayShow = isPlainKey(key) && !isBare && (schema.secret !== true || WORD.test(key));
  if (!mayShow) return report.problemAt(report.positionOf([...place, key]), place, message, { expected });
  const suggestion = nearestKey(key, known);
  if (suggestion !== undefined) {
    return report.problem([...place, key], `unknown key; did you mean \`${suggestion}\`?`, { suggestion });
  }
  report.problem([...place, key], message, { expected });
}

function reportVariant(
  error: ErrorObject,
  schema: SchemaNode,
  place: Place,
  variables: Variables,
  report: Report,
): void {
  const tag = schema.discriminator?.propertyName ?? '';
  const names = variantNames(schema);
  const expected = `one of ${names.join(', ')}`;
  const inner = [...place, tag];
  if (!isMapping(error.data) || !Object.hasOwn(error.data, tag)) {
    return report.problem(inner, `missing; expected ${expected}`, { expected });
  }
  const from = variables.get(placeKey(inner));
  const found = describeFound(error.data[tag], { type: 'string' }, from);
  const meant = from === undefined ? error.data[tag] : undefined;
  reportMismatch(inner, expected, found, report, { meant, known: names });
}

/** The schema may be one of several, each with keys of its own. */
function forVariant(schema: SchemaNode): string {
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    if (inner.const !== undefined) return ` for \`${key}: ${String(inner.const)}\``;
  }
  return '';
}

function paramOf(error: ErrorObject, name: string): unknown {
  const params: Record<string, unknown> = error.params;
  return params[name];
}

/** What belongs there, in words that follow "expected". */
export function expectation(schema: SchemaNode): string {
  if (schema.expected !== undefined) return schema.expected;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.oneOf !== undefined) return `a mapping with \`${schema.discriminator?.propertyName}\``;
  if (allows(schema, 'integer')) return `a whole number${range(schema)}`;
  if (allows(schema, 'number')) return `a number${range(schema)}`;
  if (allows(schema, 'boolean')) return 'true or false';
  if (allows(schema, 'array')) return 'a list';
  if (allows(schema, 'object')) return 'a mapping';
  return 'text';
}

function range(schema: SchemaNode): string {
  return schema.minimum === undefined ? '' : ` from ${schema.minimum} to ${schema.maximum}`;
}

/**
 * What was found, in words. The value itself only where it cannot be a secret: never a text where a mapping
 * or a list belongs, never what came from the environment.
 */
export function describeFound(
  value: unknown,
  schema: SchemaNode,
  variables: readonly string[] | undefined,
): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (isMapping(value)) return 'a mapping';
  const kind = typeof value === 'string' ? 'text' : `a ${typeof value}`;
  if (variables !== undefined) {
    return value === '' ? `empty text from ${names(variables)}` : `${kind} from ${names(variables)}`;
  }
  if (value === '') return 'empty text';
  if (schema.secret === true || allows(schema, 'object') || allows(schema, 'array')) return kind;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value !== 'string') return value === true ? 'true' : 'false';
  const shown = value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
  return JSON.stringify(shown);
}

function names(variables: readonly string[]): string {
  return variables.map((name) => `\${${name}}`).join(' and ');
}
