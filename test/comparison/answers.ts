/** Answers to compare, and comparisons in one line. */
import { compare } from '../../src/comparison/compare.ts';
import { type CompiledRules, compileRules } from '../../src/comparison/compile-rules.ts';
import type { Comparison, Limits } from '../../src/comparison/difference.ts';
import type { Observation } from '../../src/comparison/observation.ts';
import type { Backend } from '../../src/model.ts';

/** @throws Error with the problems, if the rules have any */
export function rulesOf(written: unknown): CompiledRules {
  const { rules, problems } = compileRules(written);
  if (rules === undefined) throw new Error(JSON.stringify(problems));
  return rules;
}

export function answer(
  body: string | Buffer,
  {
    status = 200,
    type = 'application/json',
    headers = [],
  }: { status?: number; type?: string | null; headers?: readonly string[] } = {},
): Observation {
  return Object.freeze({
    status,
    headers: type === null ? headers : ['Content-Type', type, ...headers],
    body: Buffer.from(body),
    bodyTruncated: false,
  });
}

export interface Options {
  readonly rules?: unknown;
  readonly authoritative?: Backend;
  readonly limits?: Partial<Limits>;
}

export function compared(left: Observation, right: Observation, options: Options = {}): Comparison {
  const { rules = {}, authoritative = 'legacy', limits = {} } = options;
  return compare(left, right, rulesOf(rules), { authoritative, limits });
}

/** Two JSON texts. */
export function texts(left: string, right: string, rules: unknown = {}): Comparison {
  return compared(answer(left), answer(right), { rules });
}

/** The verdict, and each difference as `kind path left > right`. */
export function outline({ verdict, differences, coveredBy, uncompared }: Comparison): string[] {
  const shown = (side: { readonly type: string; readonly value: unknown }): string =>
    side.type === 'absent' ? '-' : JSON.stringify(side.value);
  return [
    [verdict, ...(uncompared === undefined ? [] : [uncompared]), ...coveredBy].join(', '),
    ...differences.map(({ kind, path, left, right }) => `${kind} ${path} ${shown(left)} > ${shown(right)}`),
  ];
}

/** The same for two JSON texts. */
export function outlineOf(left: string, right: string, rules: unknown = {}): string[] {
  return outline(texts(left, right, rules));
}
