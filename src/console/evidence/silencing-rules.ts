/**
 * The rules that would silence a group of differences, the narrowest first: what a person would write after looking at
 * its samples. Whether one really silences it, and what else it silences, the gateway says when it is tried.
 */
import { canonical } from '../../comparison/canonical.ts';
import type { DifferenceKind } from '../../comparison/difference.ts';
import { kindFromLegacy } from '../../comparison/from-legacy.ts';
import { parsePath } from '../../comparison/json-path.ts';
import type { RulesWritten } from '../../comparison/rules-written.ts';
import {
  comparator,
  type Draft,
  ignore,
  type RuleProposal,
  unordered,
  withoutContentType,
  withoutHeader,
} from './rule-drafts.ts';
import { type SeenDifference, scalarOf, valueDrafts } from './value-rules.ts';

export interface SeenSample {
  /** The backend whose answer is on the left. */
  readonly authoritative: string;
  readonly differences: readonly SeenDifference[];
}

export interface SilencedGroup {
  readonly kind: string;
  readonly where: string;
}

/** @param rules of the route, as they are in force */
export function silencingRules(
  group: SilencedGroup,
  samples: readonly SeenSample[],
  rules: RulesWritten,
): readonly RuleProposal[] {
  const drafts = draftsFor(group, samples, rules);
  return drafts.map(({ label, says, add }) => ({ label, says, rules: add(rules) }));
}

/** A group is as it looks from legacy, a difference as it looks from the side that served the user. */
function isOfGroup(group: SilencedGroup, { where, kind }: SeenDifference, authoritative: string): boolean {
  return where === group.where && kindFromLegacy(kind, authoritative) === group.kind;
}

/** The path of a rule for a place: `$.items[].price` is `$.items[*].price`. `undefined`: no path says it. */
export function rulePathOf(where: string): string | undefined {
  if (!where.startsWith('$') || where.includes('…')) return undefined;
  // Brackets in quotes belong to a name.
  const path = where.replaceAll(/\['(?:[^'\\]|\\.)*'\]|\[\]|\{\}/gu, (step) =>
    step === '[]' || step === '{}' ? '[*]' : step,
  );
  return parsePath(path).problem === undefined ? path : undefined;
}

function draftsFor(
  group: SilencedGroup,
  samples: readonly SeenSample[],
  rules: RulesWritten,
): readonly Draft[] {
  const seen = samples.flatMap(({ authoritative, differences }) =>
    differences.filter((one) => isOfGroup(group, one, authoritative)),
  );
  const path = rulePathOf(group.where);
  const header = group.where.startsWith('header.') ? group.where.slice('header.'.length) : undefined;
  const ignored = path === undefined ? [] : [ignore(path)];
  const kind = group.kind;
  if (!isKnown(kind)) return ignored;
  switch (kind) {
    case 'timeout':
    case 'error':
    case 'encoding':
    case 'invalid-json':
      return [];
    case 'status':
      return statusDrafts(seen);
    case 'header':
      return header === undefined || rules.headers?.includes(header) !== true ? [] : [withoutHeader(header)];
    case 'content-type':
      return [withoutContentType];
    case 'missing':
    case 'extra':
      return [...renameDrafts(group, samples), ...absenceDrafts(seen), ...ignored];
    case 'type':
    case 'value':
      return path === undefined ? [] : [...valueDrafts(path, seen), ...ignored];
    case 'order':
      return path === undefined ? [] : [...keyDrafts(path, seen), unordered(path), ...ignored];
    case 'text':
      return [comparator('$', 'collapsed-whitespace'), comparator('$', 'html-text'), ignore('$')];
    case 'binary':
      return [ignore('$')];
    case 'duplicate-key':
      return ignored;
    default:
      return kind satisfies never;
  }
}

const KINDS: Readonly<Record<DifferenceKind, true>> = {
  timeout: true,
  error: true,
  status: true,
  header: true,
  'content-type': true,
  encoding: true,
  'invalid-json': true,
  missing: true,
  extra: true,
  type: true,
  value: true,
  order: true,
  'duplicate-key': true,
  text: true,
  binary: true,
};

function isKnown(kind: string): kind is DifferenceKind {
  return Object.hasOwn(KINDS, kind);
}

function statusDrafts(seen: readonly SeenDifference[]): readonly Draft[] {
  const [first] = seen;
  const statuses = [first?.left.value, first?.right.value].filter((one) => typeof one === 'number');
  if (statuses.length !== 2) return [];
  return [
    {
      label: `equalStatus [${statuses.join(', ')}]`,
      says: `${statuses.join(' and ')} are the same, on the whole route.`,
      add: (rules) => ({ ...rules, equalStatus: [...(rules.equalStatus ?? []), statuses] }),
    },
  ];
}

function absenceDrafts(seen: readonly SeenDifference[]): readonly Draft[] {
  const values = seen.map(({ left, right }) => (left.type === 'absent' ? right.value : left.value));
  if (values.length === 0) return [];
  if (values.every((value) => value === null)) {
    const says = 'A member that is null is the same as none, on the whole route.';
    return [{ label: 'nullIsAbsent: true', says, add: (rules) => ({ ...rules, nullIsAbsent: true }) }];
  }
  if (!values.every(isEmpty)) return [];
  const says = 'Empty texts, lists and objects are the same as none, on the whole route.';
  return [{ label: 'emptyIsAbsent: true', says, add: (rules) => ({ ...rules, emptyIsAbsent: true }) }];
}

function isEmpty(value: unknown): boolean {
  if (value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** A field that one side alone has, with the value of a field that the other side alone has. */
function renameDrafts(group: SilencedGroup, samples: readonly SeenSample[]): readonly Draft[] {
  const counterparts = samples.map(({ authoritative, differences }) => {
    const own = differences.find((one) => isOfGroup(group, one, authoritative));
    const value = own && comparable(own.kind === 'missing' ? own.left.value : own.right.value);
    if (own === undefined || value === undefined) return undefined;
    const opposite = own.kind === 'missing' ? 'extra' : 'missing';
    const others = differences.filter(
      (one) =>
        one.kind === opposite &&
        comparable(opposite === 'missing' ? one.left.value : one.right.value) === value,
    );
    const isOwnLegacy = (own.kind === 'missing') === (authoritative === 'legacy');
    return others.map(({ where }) => ({ where, isOwnLegacy }));
  });
  const [first = [], ...rest] = counterparts.filter((one) => one !== undefined);
  const always = first.filter(({ where }) => rest.every((list) => list.some((one) => one.where === where)));
  return always.slice(0, 3).flatMap(({ where, isOwnLegacy }) => {
    const [own, other] = [rulePathOf(group.where), rulePathOf(where)];
    if (own === undefined || other === undefined || own.split('[*]').length !== other.split('[*]').length)
      return [];
    const [legacy, renamed] = isOwnLegacy ? [own, other] : [other, own];
    return [
      {
        label: `rename ${legacy}: ${renamed}`,
        says: 'One field under two names: from then on its values are compared.',
        add: (rules: RulesWritten) => ({ ...rules, rename: { ...rules.rename, [legacy]: renamed } }),
      },
    ];
  });
}

/** Values that say something: every list of flags has a `true`. */
function comparable(value: unknown): string | undefined {
  if (typeof value === 'string') return value.length > 1 ? value : undefined;
  return typeof value === 'number' && Math.abs(value) > 1 ? canonical(value) : undefined;
}

const KEY_NAMES = /^(?:id|key|sku|code|uuid|number|no|name|slug)$|(?:Id|_id|No|Key|Number|Code)$/u;

/** A field that tells the items of an array apart. */
function keyDrafts(path: string, seen: readonly SeenDifference[]): readonly Draft[] {
  const names = seen.map(({ left }) => (Array.isArray(left.value) ? keysOf(left.value) : []));
  const [first = [], ...rest] = names;
  const always = first.filter((name) => rest.every((list) => list.includes(name)));
  return always.slice(0, 2).map((key) => ({
    label: `arrays ${path}: { key: ${key} }`,
    says: `Items with the same ${key} belong together, wherever they stand.`,
    add: (rules) => ({ ...rules, arrays: { ...rules.arrays, [path]: { key } } }),
  }));
}

/** Long lists are cut: what stands for the rest is no object. */
function keysOf(items: readonly unknown[]): readonly string[] {
  const objects = items.filter((item) => typeof item === 'object' && item !== null);
  const [first] = objects;
  if (first === undefined || objects.length < 2) return [];
  return Object.keys(first).filter((name) => {
    const values = objects.map((item) => scalarOf(Reflect.get(item, name)));
    return KEY_NAMES.test(name) && !values.includes(undefined) && new Set(values).size === values.length;
  });
}
