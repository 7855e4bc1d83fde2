/**
 * One text for each JSON value: equal values have equal texts, whatever the order of their members was.
 */
import { ExactNumber } from './exact-number.ts';
import { isArray, type Json } from './json-tree.ts';

/** @param value no deeper than the stack allows: depth is bounded where documents are read */
export function canonical(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof ExactNumber) return `#${value.key}`;
  if (value === null || typeof value !== 'object') return String(value);
  if (isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}
