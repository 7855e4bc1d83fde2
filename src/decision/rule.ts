/** Whether a request's attributes meet a cohort's rule. */
import type { Attributes, Rule } from '../model.ts';

/**
 * An attribute that the request does not have meets `in`, `prefix` and `exists` never, so that `not` of them
 * is true for it. An empty `all` is true, an empty `any` false.
 */
export function matchesRule(rule: Rule, attributes: Attributes): boolean {
  switch (rule.kind) {
    case 'in': {
      const value = attributes.attribute(rule.attribute);
      return value !== undefined && rule.values.includes(value);
    }
    case 'prefix': {
      const value = attributes.attribute(rule.attribute);
      return value?.startsWith(rule.prefix) ?? false;
    }
    case 'exists':
      return attributes.attribute(rule.attribute) !== undefined;
    case 'all':
      for (const part of rule.rules) if (!matchesRule(part, attributes)) return false;
      return true;
    case 'any':
      for (const part of rule.rules) if (matchesRule(part, attributes)) return true;
      return false;
    case 'not':
      return !matchesRule(rule.rule, attributes);
    default:
      rule satisfies never;
      return false;
  }
}
