/**
 * The schema beside the data: which schema belongs to which value, and the defaults that it gives.
 */
import { isMapping } from './place.ts';

/** What this room reads of a JSON schema. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly patternProperties?: { readonly [pattern: string]: SchemaNode };
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly discriminator?: { readonly propertyName: string };
  /** What belongs here, in words for the messages. */
  readonly expected?: string;
  /** The value, or one inside it, is a secret: messages never show it. */
  readonly secret?: boolean;
  /** The keywords that only the validator reads. */
  readonly [keyword: string]: unknown;
}

/** Whether the schema allows that JSON type. */
export function allows(schema: SchemaNode, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

/** The schema itself, or the variant that the value chooses by its discriminating key. */
export function chosenSchema(schema: SchemaNode, value: unknown): SchemaNode | undefined {
  if (schema.oneOf === undefined) return schema;
  const key = schema.discriminator?.propertyName;
  if (key === undefined || !isMapping(value)) return undefined;
  return schema.oneOf.find((variant) => variant.properties?.[key]?.const === value[key]);
}

/** The schema of the value one step further in; `undefined` where it has none. */
export function childSchema(
  schema: SchemaNode,
  value: unknown,
  step: string | number,
): SchemaNode | undefined {
  if (typeof step === 'number') return schema.items;
  const chosen = chosenSchema(schema, value);
  if (chosen?.properties !== undefined && Object.hasOwn(chosen.properties, step))
    return chosen.properties[step];
  return Object.values(chosen?.patternProperties ?? {})[0];
}

/** The values that a discriminating key may have. */
export function variantNames(schema: SchemaNode): readonly string[] {
  const key = schema.discriminator?.propertyName ?? '';
  return (schema.oneOf ?? []).map((variant) => String(variant.properties?.[key]?.const));
}

/**
 * A copy of the value in which every key that is not written has its default. What is of the wrong type is
 * left as it is, for the validation to find.
 */
export function withDefaults(schema: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(items, item));
  }
  if (!isMapping(value)) return value;
  const filled: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const child = childSchema(schema, value, key);
    filled[key] = child === undefined ? inner : withDefaults(child, inner);
  }
  for (const [key, child] of Object.entries(chosenSchema(schema, value)?.properties ?? {})) {
    if (!Object.hasOwn(filled, key) && child.default !== undefined) {
      filled[key] = withDefaults(child, structuredClone(child.default));
    }
  }
  return filled;
}
