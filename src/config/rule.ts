/**
 * Rules of cohorts, ramps, and the attributes that rules look at.
 */
import { type AttributeRef, RAMP_BUCKETS, type Ramp, type Rule } from '../model.ts';
import { nearestKey } from './nearest-key.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import { RuleSchema, type RuleWritten } from './route-schema.ts';
import { checkShape, shapeOf } from './shape.ts';

/** Rules inside each other. */
const RULE_DEPTH_MAX = 8;

const ruleShape = shapeOf<RuleWritten>(RuleSchema);

const CONDITIONS = ['in', 'prefix', 'exists'] as const;
const COMBINATIONS = ['all', 'any', 'not'] as const;
const EXPECTED =
  'one of { attribute, in }, { attribute, prefix }, { attribute, exists: true }, { all }, { any }, { not }';

const NAMED_SOURCES = ['header', 'claim', 'cookie', 'query', 'path'] as const;
const ATTRIBUTE = new RegExp(`^(${NAMED_SOURCES.join('|')})\\.(.+)$`, 's');
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * @param depth of the rules around this one
 * @returns the rule; `undefined` if it has a problem, reported
 */
export function readRule(value: unknown, place: Place, reading: Reading, depth = 1): Rule | undefined {
  const { report } = reading;
  if (depth > RULE_DEPTH_MAX) {
    report.problem(place, `rules are nested at most ${RULE_DEPTH_MAX} deep`);
    return undefined;
  }
  if (!checkShape(ruleShape, value, place, reading.variables, report)) return undefined;
  const conditions = CONDITIONS.filter((key) => value[key] !== undefined);
  const combinations = COMBINATIONS.filter((key) => value[key] !== undefined);
  const isCondition = value.attribute !== undefined;
  if (conditions.length + combinations.length !== 1 || isCondition !== (conditions.length === 1)) {
    const keys = Object.keys(value);
    const found = keys.length === 0 ? 'an empty mapping' : keys.join(', ');
    report.problem(place, `expected ${EXPECTED}; found ${found}`, { expected: EXPECTED, found });
    return undefined;
  }
  return isCondition ? readCondition(value, place, reading) : readCombination(value, place, reading, depth);
}

function readCondition(value: RuleWritten, place: Place, reading: Reading): Rule | undefined {
  const attribute = readAttribute(value.attribute ?? '', [...place, 'attribute'], reading);
  if (attribute === undefined) return undefined;
  if (value.in !== undefined) return { kind: 'in', attribute, values: value.in };
  if (value.prefix !== undefined) return { kind: 'prefix', attribute, prefix: value.prefix };
  return { kind: 'exists', attribute };
}

function readCombination(
  value: RuleWritten,
  place: Place,
  reading: Reading,
  depth: number,
): Rule | undefined {
  if (value.not !== undefined) {
    const rule = readRule(value.not, [...place, 'not'], reading, depth + 1);
    return rule === undefined ? undefined : { kind: 'not', rule };
  }
  const kind = value.all === undefined ? 'any' : 'all';
  const written = value.all ?? value.any ?? [];
  const rules = written.map((inner, index) => readRule(inner, [...place, kind, index], reading, depth + 1));
  const whole = rules.filter((rule) => rule !== undefined);
  return whole.length === rules.length ? { kind, rules: whole } : undefined;
}

function readAttribute(text: string, place: Place, { report }: Reading): AttributeRef | undefined {
  if (text === 'user') return { source: 'user', name: '' };
  const match = ATTRIBUTE.exec(text);
  const source = NAMED_SOURCES.find((known) => known === match?.[1]);
  const name = match?.[2] ?? '';
  if (source === undefined) {
    const dot = text.indexOf('.');
    const near = dot < 0 ? undefined : nearestKey(text.slice(0, dot), NAMED_SOURCES);
    const hint = near === undefined ? '' : `; did you mean \`${near}${text.slice(dot)}\`?`;
    const expected = `user, or ${NAMED_SOURCES.map((known) => `${known}.NAME`).join(', ')}`;
    report.problem(place, `expected ${expected}${hint}`, { expected });
    return undefined;
  }
  if ((source === 'header' || source === 'cookie') && !TOKEN.test(name)) {
    report.problem(place, `this cannot be the name of a ${source}`);
    return undefined;
  }
  return { source, name: source === 'header' ? name.toLowerCase() : name };
}

/** Every attribute that the rule looks at. */
export function attributesOf(rule: Rule): readonly AttributeRef[] {
  switch (rule.kind) {
    case 'in':
    case 'prefix':
    case 'exists':
      return [rule.attribute];
    case 'all':
    case 'any':
      return rule.rules.flatMap(attributesOf);
    case 'not':
      return attributesOf(rule.rule);
    default:
      rule satisfies never;
      return [];
  }
}

/** @param written `10%`, which the schema has checked, or a number of users */
export function readRamp(written: number | string): Ramp {
  if (typeof written === 'number') return { kind: 'count', count: written };
  const percent = Number(written.slice(0, -1));
  return { kind: 'percent', buckets: Math.round((percent * RAMP_BUCKETS) / 100) };
}
