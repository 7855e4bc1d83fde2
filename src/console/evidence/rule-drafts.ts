/** One rule each, as it is added to the rules that a route has. */
import type { RulesWritten } from '../../comparison/rules-written.ts';

export interface RuleProposal {
  /** What is added, on one line, as people write it: `tolerance $.total: { absolute: 0.01 }`. */
  readonly label: string;
  /** What it means, as a sentence. */
  readonly says: string;
  /** All rules of the route with it. */
  readonly rules: RulesWritten;
}

export type Draft = Omit<RuleProposal, 'rules'> & { readonly add: (rules: RulesWritten) => RulesWritten };

export function ignore(path: string): Draft {
  const what = path === '$' ? 'the body' : 'this place and everything below it';
  return {
    label: `ignore ${path}`,
    says: `Never compares ${what}.`,
    add: (rules) => ({ ...rules, ignore: [...(rules.ignore ?? []), path] }),
  };
}

export function unordered(path: string): Draft {
  return {
    label: `unordered ${path}`,
    says: 'The same items, equally often, in any order.',
    add: (rules) => ({ ...rules, unordered: [...(rules.unordered ?? []), path] }),
  };
}

export function withoutHeader(name: string): Draft {
  return {
    label: `headers without ${name}`,
    says: 'This header is not compared any more.',
    add: (rules) => ({
      ...rules,
      headers: (rules.headers ?? []).filter((one) => one.toLowerCase() !== name),
    }),
  };
}

export const withoutContentType: Draft = {
  label: 'contentType: false',
  says: 'Content-Type is not compared any more, on the whole route.',
  add: (rules) => ({ ...rules, contentType: false }),
};

/** What it is for, and in which order: the first that makes all samples equal stands first. */
export const COMPARATORS_SAY = {
  'case-insensitive': 'The same but for upper and lower case.',
  trimmed: 'The same but for white space at the ends.',
  'collapsed-whitespace': 'The same but for white space.',
  'unicode-normal': 'The same characters, composed differently.',
  'number-text': 'A text that holds the same number.',
  'digits-only': 'The same digits.',
  boolean: 'Different words for yes and no.',
  'same-instant': 'The same time in another form.',
  'uuid-any': 'Any two UUIDs are the same.',
  'html-text': 'The same text, with other markup.',
  'same-type': 'Any two values of one type are the same.',
  anything: 'Any two values are the same; there has to be one.',
} as const;
export type Comparator = keyof typeof COMPARATORS_SAY;

export function comparator(path: string, name: Comparator): Draft {
  return {
    label: `comparators ${path}: ${name}`,
    says: COMPARATORS_SAY[name],
    add: (rules) => {
      // Rules of one place are applied one after the other, those that are there already first.
      const before = [rules.comparators?.[path] ?? []].flat();
      const names = before.length === 0 ? name : [...before, name];
      return { ...rules, comparators: { ...rules.comparators, [path]: names } };
    },
  };
}

export function tolerance(path: string, by: { absolute: number } | { timeMs: number }, says: string): Draft {
  return {
    label: `tolerance ${path}: ${JSON.stringify(by).replaceAll('"', '')}`,
    says,
    add: (rules) => ({
      ...rules,
      tolerance: { ...rules.tolerance, [path]: { ...rules.tolerance?.[path], ...by } },
    }),
  };
}
