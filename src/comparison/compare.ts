/**
 * Two answers to one read: the same, the same under the rules, or different, and where.
 */
import type { Backend } from '../model.ts';
import { compareBodies } from './compare-bodies.ts';
import type { CompiledRules } from './compile-rules.ts';
import {
  type Comparison,
  DEFAULT_LIMITS,
  type Difference,
  type Limits,
  type ShownValue,
} from './difference.ts';
import { type Findings, NOTHING } from './findings.ts';
import { isSameMediaType, mediaTypeOf } from './media-type.ts';
import { headerValues, type Observation } from './observation.ts';
import { ABSENT, show } from './show-value.ts';

export interface CompareOptions {
  /** Which backend `left` comes from. Rules with two paths need to know. */
  readonly authoritative: Backend;
  readonly limits?: Partial<Limits>;
}

const MATCHED: Comparison = Object.freeze({
  verdict: 'matched',
  differences: [],
  truncated: false,
  coveredBy: [],
  uncompared: undefined,
});

/**
 * Never throws, and takes time in proportion to the sizes of the bodies and no more than `limits` allow. Bodies that
 * are equal in bytes cost a comparison of bytes.
 * @param left what the authoritative backend answered
 * @param right what the secondary answered
 */
export function compare(
  left: Observation,
  right: Observation,
  rules: CompiledRules,
  options: CompareOptions,
): Comparison {
  if (left.failure !== undefined || right.failure !== undefined) return compareFailures(left, right);
  const limits = options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits };
  const leftType = headerValues(left, 'content-type')[0];
  const rightType = headerValues(right, 'content-type')[0];
  const heads = compareHeads(left, right, rules, [leftType, rightType]);
  const bodies = heads.comparesBodies
    ? compareBodies(left, right, {
        limits,
        rules: {
          start: rules.start,
          nullIsAbsent: rules.nullIsAbsent,
          emptyIsAbsent: rules.emptyIsAbsent,
          newSide: options.authoritative === 'new' ? 'left' : 'right',
        },
        leftType: mediaTypeOf(leftType),
        rightType: mediaTypeOf(rightType),
        typesAreCompared: rules.contentType,
      })
    : NOTHING;
  return conclude(heads.differences, heads.coveredBy, bodies);
}

function conclude(heads: readonly Difference[], headRules: readonly string[], bodies: Findings): Comparison {
  const coveredBy = bodies.coveredBy.size === 0 ? headRules : [...headRules, ...bodies.coveredBy];
  const differences = bodies.differences.length === 0 ? heads : [...heads, ...bodies.differences];
  const isClear = differences.length === 0 && bodies.uncompared === undefined;
  if (isClear && coveredBy.length === 0) return MATCHED;
  const verdict = isClear ? 'ignored' : differences.length > 0 ? 'mismatched' : 'uncompared';
  return Object.freeze({
    verdict,
    differences: Object.freeze(differences),
    truncated: bodies.truncated,
    coveredBy: Object.freeze(coveredBy),
    uncompared: bodies.uncompared,
  });
}

function compareFailures(left: Observation, right: Observation): Comparison {
  if (left.failure !== undefined && right.failure !== undefined) {
    return { ...MATCHED, verdict: 'uncompared', uncompared: 'both-failed' };
  }
  const kind = right.failure?.kind ?? left.failure?.kind ?? 'error';
  const shown = (side: Observation): ShownValue =>
    side.failure === undefined ? show('number', side.status) : show('string', side.failure.code);
  const difference = { path: 'answer', pattern: 'answer', kind, left: shown(left), right: shown(right) };
  return { ...MATCHED, verdict: 'mismatched', differences: [difference] };
}

interface Heads {
  readonly differences: readonly Difference[];
  readonly coveredBy: readonly string[];
  /** Statuses that say different things have bodies that do: there is nothing to learn from them. */
  readonly comparesBodies: boolean;
}

/** Answers that have no body by definition (RFC 9110, 6.4.1). */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function compareHeads(
  left: Observation,
  right: Observation,
  rules: CompiledRules,
  [leftType, rightType]: readonly [string | undefined, string | undefined],
): Heads {
  const differences: Difference[] = [];
  const coveredBy: string[] = [];
  let comparesBodies = true;
  if (left.status !== right.status) {
    const isEqualByRule = rules.equalStatus.some((set) => set.has(left.status) && set.has(right.status));
    if (isEqualByRule) {
      coveredBy.push('equalStatus');
      comparesBodies = !isBodiless(left.status) && !isBodiless(right.status);
    } else {
      differences.push(
        difference('status', 'status', show('number', left.status), show('number', right.status)),
      );
      comparesBodies = Math.floor(left.status / 100) === Math.floor(right.status / 100);
    }
  }
  const isSameType = leftType === rightType || isSameMediaType(mediaTypeOf(leftType), mediaTypeOf(rightType));
  if (comparesBodies && rules.contentType && !isSameType) {
    differences.push(
      difference('content-type', 'header.content-type', shownHeader(leftType), shownHeader(rightType)),
    );
  }
  for (const name of rules.headers) {
    if (name === 'content-type') continue;
    const [one, other] = [headerText(left, name), headerText(right, name)];
    if (one === other || (one && other && asList(name, one) === asList(name, other))) continue;
    differences.push(difference('header', `header.${name}`, shownHeader(one), shownHeader(other)));
  }
  return { differences, coveredBy, comparesBodies };
}

function difference(
  kind: 'status' | 'header' | 'content-type',
  path: string,
  left: ShownValue,
  right: ShownValue,
): Difference {
  return Object.freeze({ path, pattern: path, kind, left, right });
}

function shownHeader(value: string | undefined): ShownValue {
  return value === undefined ? ABSENT : show('string', value);
}

/** All lines of that name, as one. */
function headerText(observation: Observation, name: string): string | undefined {
  const values = headerValues(observation, name);
  return values.length === 0 ? undefined : values.join(', ');
}

/** Headers that hold a set of words: neither order nor case says anything. */
const SETS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'allow',
  'cache-control',
  'content-language',
  'vary',
]);

function asList(name: string, text: string): string {
  if (!SETS.has(name)) return text;
  const words = text
    .toLowerCase()
    .split(',')
    .map((word) => word.trim());
  return [...new Set(words)].sort().join(',');
}
