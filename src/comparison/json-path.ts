/**
 * Paths of rules: the part of JSONPath (RFC 9535) that says *where* and never *if*.
 *
 *   $            the whole document
 *   .name        a member; letters, digits, _, - and everything outside ASCII, the first no digit and no -
 *   ['odd name'] any member; with double quotes too; \\, \', \", \n, \r, \t, \/ and \u0041 as in JSON
 *   [3]          the item of that index, from 0
 *   [*]  .*      every item of an array and every member of an object
 *   ..name  ..*  ..['odd name']  ..[*]  ..[3]   the same at any depth below
 */

export interface PathStep {
  readonly match:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'index'; readonly index: number }
    | { readonly kind: 'any' };
  /** Written with `..`: it may be any number of steps further down. */
  readonly descends: boolean;
}

/** A path, or why the text is none. */
export type ParsedPath =
  | { readonly steps: readonly PathStep[]; readonly problem?: undefined }
  | { readonly problem: string };

export const PATH_CHARACTERS_MAX = 1024;
export const PATH_STEPS_MAX = 64;

const NAME = /[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\-\u0080-\uFFFF]*/y;
const INDEX = /(?:0|[1-9][0-9]{0,8})\]/y;
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y;
const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|(.))/g;
const ESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '/': '/',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** @returns the steps, or the problem as a sentence that names the character, counted from 1 */
export function parsePath(text: string): ParsedPath {
  if (!text.startsWith('$')) return { problem: 'a path begins with $' };
  if (text.length > PATH_CHARACTERS_MAX) {
    return { problem: `a path has at most ${PATH_CHARACTERS_MAX} characters` };
  }
  const steps: PathStep[] = [];
  let at = 1;
  while (at < text.length) {
    const step = readStep(text, at);
    if ('problem' in step) return step;
    steps.push({ match: step.match, descends: step.descends });
    at = step.end;
  }
  return steps.length > PATH_STEPS_MAX
    ? { problem: `a path has at most ${PATH_STEPS_MAX} steps` }
    : { steps };
}

type ReadStep = (PathStep & { readonly end: number }) | { readonly problem: string };

function readStep(text: string, begin: number): ReadStep {
  const descends = text.startsWith('..', begin);
  const isDotted = text[begin] === '.';
  const at = begin + (descends ? 2 : isDotted ? 1 : 0);
  if (text[at] === '[' && (descends || !isDotted)) return readBracket(text, at, descends);
  if (!isDotted) return { problem: `character ${at + 1}: expected . or [` };
  if (text[at] === '*') return { match: { kind: 'any' }, descends, end: at + 1 };
  const name = matchAt(NAME, text, at);
  if (name !== undefined) return { match: { kind: 'name', name }, descends, end: at + name.length };
  return { problem: `character ${at + 1}: expected a name or *; other names are written as ['odd name']` };
}

function readBracket(text: string, open: number, descends: boolean): ReadStep {
  const at = open + 1;
  if (text.startsWith('*]', at)) return { match: { kind: 'any' }, descends, end: at + 2 };
  const index = matchAt(INDEX, text, at);
  if (index !== undefined) {
    return { match: { kind: 'index', index: Number.parseInt(index, 10) }, descends, end: at + index.length };
  }
  const quoted = matchAt(QUOTED, text, at);
  if (quoted !== undefined && text[at + quoted.length] === ']') {
    const name = unescape(quoted.slice(1, -1));
    if (name === undefined) return { problem: `character ${at + 1}: an escape that is not known` };
    return { match: { kind: 'name', name }, descends, end: at + quoted.length + 1 };
  }
  if (text[at] === '?' || text[at] === '(') {
    return { problem: `character ${at + 1}: filters and expressions are not part of these paths` };
  }
  if (/^[-\d]*[:,]|^-\d/.test(text.slice(at, at + 24))) {
    return {
      problem: `character ${at + 1}: slices, lists and indexes from the end are not part of these paths`,
    };
  }
  return { problem: `character ${at + 1}: expected *, an index or a name in quotes, and then ]` };
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function unescape(text: string): string | undefined {
  let isKnown = true;
  const plain = text.replaceAll(ESCAPE, (_, code: string | undefined, letter: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    const character = ESCAPED[letter ?? ''];
    isKnown &&= character !== undefined;
    return character ?? '';
  });
  return isKnown ? plain : undefined;
}

const PLAIN_NAME = /^[A-Za-z_\u0080-\uFFFF][A-Za-z0-9_\-\u0080-\uFFFF]*$/;

/** A member as it stands in a path: `.name`, or `['odd name']`. */
export function printName(name: string): string {
  if (PLAIN_NAME.test(name)) return `.${name}`;
  const escaped = JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `['${escaped}']`;
}
