/**
 * The shape of written rules, checked without a library: this room imports none.
 */
import type { RuleProblem, RulesWritten } from './rules-written.ts';

type Check = (value: unknown, place: RuleProblem['place'], problems: RuleProblem[]) => void;

/** Rules of one kind. */
const RULES_MAX = 1000;
const TEXT_MAX = 1024;
const NAMES_MAX = 8;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;

function expect(isFine: (value: unknown) => boolean, expected: string): Check {
  return (value, place, problems) => {
    if (!isFine(value)) problems.push({ place, expected, why: undefined });
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= TEXT_MAX;
}

function isNumber(minimum: number, maximum: number): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && value >= minimum && value <= maximum;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(check: Check, expected: string, maximum = RULES_MAX, minimum = 0): Check {
  return (value, place, problems) => {
    if (!Array.isArray(value) || value.length > maximum || value.length < minimum) {
      problems.push({ place, expected, why: undefined });
      return;
    }
    value.forEach((item: unknown, index) => {
      check(item, [...place, index], problems);
    });
  };
}

function byPath(check: Check, expected: string): Check {
  return (value, place, problems) => {
    if (!isMapping(value) || Object.keys(value).length > RULES_MAX) {
      problems.push({ place, expected, why: undefined });
      return;
    }
    for (const [path, inner] of Object.entries(value)) check(inner, [...place, path], problems);
  };
}

/** A mapping with these keys and no other; every one may be left out. */
function keys(known: Readonly<Record<string, Check>>): Check {
  return (value, place, problems) => {
    if (!isMapping(value)) {
      problems.push({ place, expected: `a mapping with ${Object.keys(known).join(', ')}`, why: undefined });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      const check = Object.hasOwn(known, key) ? known[key] : undefined;
      if (check !== undefined) check(inner, [...place, key], problems);
      else {
        const expected = `one of ${Object.keys(known).join(', ')}`;
        problems.push({ place: [...place, key], expected, why: 'unknown key' });
      }
    }
  };
}

const text = expect(isText, `text of 1 to ${TEXT_MAX} characters`);
const flag = expect((value) => typeof value === 'boolean', 'true or false');
const status = expect(
  (value) => isNumber(100, 599)(value) && Number.isInteger(value),
  'a status from 100 to 599',
);

function oneOrMore(expected: string): Check {
  const some = listOf(text, expected, NAMES_MAX, 1);
  return (value, place, problems) => {
    if (Array.isArray(value)) some(value, place, problems);
    else expect(isText, expected)(value, place, problems);
  };
}

const key = oneOrMore(`the name of the field that tells items apart, or a list of at most ${NAMES_MAX}`);

const tolerance: Check = (value, place, problems) => {
  keys({
    absolute: expect(isNumber(0, 1e15), 'a number from 0 to 1000000000000000'),
    relative: expect(isNumber(0, 1), 'a number from 0 to 1'),
    timeMs: expect(
      (ms) => isNumber(0, 31_536_000_000)(ms) && Number.isInteger(ms),
      'whole milliseconds from 0 to 31536000000',
    ),
  })(value, place, problems);
  if (isMapping(value) && Object.keys(value).length === 0) {
    problems.push({ place, expected: 'at least one of absolute, relative, timeMs', why: undefined });
  }
};

const check = keys({
  ignore: listOf(text, 'a list of paths'),
  unordered: listOf(text, 'a list of paths of arrays'),
  arrays: byPath((value, place, problems) => {
    keys({ key })(value, place, problems);
    if (isMapping(value) && value.key === undefined) key(undefined, [...place, 'key'], problems);
  }, 'a mapping from paths of arrays to { key: NAME }'),
  tolerance: byPath(tolerance, 'a mapping from paths to tolerances'),
  comparators: byPath(
    oneOrMore('the name of a comparator, or a list of them'),
    'a mapping from paths to names of comparators',
  ),
  rename: byPath(text, "a mapping from paths in legacy's answer to paths in new's"),
  nullIsAbsent: flag,
  emptyIsAbsent: flag,
  equalStatus: listOf(
    listOf(status, 'a list of 2 to 20 statuses', 20, 2),
    'a list of lists of statuses such as [[200, 204]]',
  ),
  headers: listOf(
    expect((name) => typeof name === 'string' && HEADER_NAME.test(name), 'the name of a header'),
    'a list of names of headers',
  ),
  contentType: flag,
});

/** The problems of a value of any shape, and the kinds of rules in it that have none. */
export function shapeProblems(value: unknown): {
  readonly problems: readonly RuleProblem[];
  readonly written: RulesWritten;
} {
  const problems: RuleProblem[] = [];
  check(value, [], problems);
  const wrong = new Set(problems.map(({ place }) => place[0]));
  const fine = isMapping(value) ? Object.entries(value).filter(([key]) => !wrong.has(key)) : [];
  const written: unknown = Object.fromEntries(fine);
  return { problems, written: isChecked(written) ? written : {} };
}

function isChecked(value: unknown): value is RulesWritten {
  const problems: RuleProblem[] = [];
  check(value, [], problems);
  return problems.length === 0;
}
