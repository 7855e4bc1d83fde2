/**
 * `${NAME}` and `${NAME:-default}` in texts, from the environment; `$${` stands for a plain `${`. It happens
 * after the YAML was parsed, so that no value of a variable can change the structure of the configuration.
 */
import { isMapping, type Place, placeKey } from './place.ts';
import type { Report } from './report.ts';
import { allows, childSchema, type SchemaNode } from './schema-walk.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A default holds no `$`: nothing is nested, and the search takes linear time. */
const INTERPOLATION = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}$]*))?\}|\$\{/g;
const WHOLE = /^\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}$]*)?\}$/;
const NUMBER = /^-?\d{1,20}(?:\.\d{1,20})?$/;

export interface Interpolated {
  readonly value: unknown;
  /** By place: the variables whose values are in the text there. Messages name them instead of the text. */
  readonly variables: ReadonlyMap<string, readonly string[]>;
}

/**
 * Interpolates every text inside `value`. A text that is one interpolation and nothing else becomes a number
 * or a boolean where the schema wants one. A variable that is not set is a problem; empty counts as not set
 * where there is a default, as in a shell.
 */
export function interpolate(
  value: unknown,
  schema: SchemaNode,
  env: Environment,
  report: Report,
): Interpolated {
  const variables = new Map<string, readonly string[]>();
  const walk = (inner: unknown, innerSchema: SchemaNode | undefined, place: Place): unknown => {
    if (typeof inner === 'string') return text(inner, innerSchema, place);
    if (Array.isArray(inner))
      return inner.map((item, index) => walk(item, innerSchema?.items, [...place, index]));
    if (!isMapping(inner)) return inner;
    // The discriminating key may itself be interpolated; the schema of its neighbours depends on it.
    const copy: Record<string, unknown> = {};
    const tag = innerSchema?.discriminator?.propertyName;
    for (const key of Object.keys(inner).toSorted((a, b) => Number(b === tag) - Number(a === tag))) {
      const child =
        innerSchema === undefined ? undefined : childSchema(innerSchema, { ...inner, ...copy }, key);
      copy[key] = walk(inner[key], child, [...place, key]);
    }
    return copy;
  };
  const text = (written: string, innerSchema: SchemaNode | undefined, place: Place): unknown => {
    if (!written.includes('${')) return written;
    const result = replaceAll(written, env);
    for (const problem of result.problems) report.problem(place, problem);
    if (result.problems.length > 0) report.mute(place);
    if (result.used.length > 0) variables.set(placeKey(place), result.used);
    return WHOLE.test(written) && innerSchema !== undefined ? coerce(result.text, innerSchema) : result.text;
  };
  return { value: walk(value, schema, []), variables };
}

interface Replaced {
  readonly text: string;
  /** Variables whose values are in the text. */
  readonly used: readonly string[];
  readonly problems: readonly string[];
}

function replaceAll(written: string, env: Environment): Replaced {
  const used: string[] = [];
  const problems: string[] = [];
  const text = written.replaceAll(
    INTERPOLATION,
    (match, name: string | undefined, fallback: string | undefined) => {
      if (match === '$${') return '${';
      if (name === undefined) {
        problems.push(
          '`${` begins no variable here; write ${NAME} or ${NAME:-default}, or $${ for a plain ${; a default holds no $ and no }',
        );
        return match;
      }
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value !== undefined && (value !== '' || fallback === undefined)) {
        used.push(name);
        return value;
      }
      if (fallback === undefined) {
        problems.push(`the environment variable ${name} is not set; set it, or write \${${name}:-default}`);
      }
      return fallback ?? match;
    },
  );
  return { text, used, problems };
}

function coerce(text: string, schema: SchemaNode): unknown {
  const wantsNumber = allows(schema, 'integer') || allows(schema, 'number');
  if (wantsNumber && NUMBER.test(text)) return Number(text);
  if (allows(schema, 'boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
