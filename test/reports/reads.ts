/** Reads as shadow reads tell them. */
import { compare } from '../../src/comparison/compare.ts';
import { compileRules, NO_RULES } from '../../src/comparison/compile-rules.ts';
import type { Observation } from '../../src/comparison/observation.ts';
import type { RulesWritten } from '../../src/comparison/rules-written.ts';
import type { ComparedRead, NoiseRead } from '../../src/shadow/report-sink.ts';

export function answer(body: unknown, over: Partial<Observation> = {}): Observation {
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    bodyTruncated: false,
    durationMs: 5,
    ...over,
  };
}

export function comparedRead(
  left: Observation,
  right: Observation,
  over: Partial<ComparedRead> = {},
  rules?: RulesWritten,
): ComparedRead {
  const compiled = rules === undefined ? NO_RULES : (compileRules(rules).rules ?? NO_RULES);
  const comparison = compare(left, right, compiled, { authoritative: 'legacy' });
  return {
    route: 'orders',
    cohort: 'staff',
    user: 'user-1',
    authoritative: 'legacy',
    request: { method: 'GET', target: '/orders/1', headers: ['accept', 'application/json'] },
    verdict: comparison.differences.length === 0 ? 'matched' : 'confirmed',
    answers: { authoritative: left, secondary: right },
    comparison,
    authoritativeMs: 5,
    secondaryMs: 8,
    ...over,
  };
}

export function noiseRead(left: Observation, right: Observation, over: Partial<NoiseRead> = {}): NoiseRead {
  const comparison = compare(left, right, NO_RULES, { authoritative: 'legacy' });
  return { route: 'orders', cohort: 'staff', authoritative: 'legacy', comparison, ...over };
}
