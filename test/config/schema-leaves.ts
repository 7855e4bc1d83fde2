/** Every key of the schema, so that tests can prove things of all of them. */
import type { SchemaNode } from '../../src/config/schema-walk.ts';

export interface Leaf {
  /** `backends.legacy.connectMs`, `routes[].match`; `*` stands for any key. */
  readonly path: string;
  readonly schema: SchemaNode;
}

/** All keys, those that hold mappings and lists too; a key that several variants have is there for each. */
export function schemaLeaves(schema: SchemaNode, path = ''): Leaf[] {
  const below: Leaf[] = [];
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const place = path === '' ? key : `${path}.${key}`;
    below.push({ path: place, schema: inner }, ...schemaLeaves(inner, place));
  }
  for (const inner of Object.values(schema.patternProperties ?? {})) {
    below.push({ path: `${path}.*`, schema: inner }, ...schemaLeaves(inner, `${path}.*`));
  }
  for (const variant of schema.oneOf ?? []) below.push(...schemaLeaves(variant, path));
  if (schema.items !== undefined) below.push(...schemaLeaves(schema.items, `${path}[]`));
  return below;
}
