/**
 * Reads just enough of a TypeScript file for the tidy rules: its imports, and its code without comments and
 * without what stands in strings, so that a rule about code is not tripped by prose.
 */

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'` and `import('x')`. */
const STATIC = /^[ \t]*(?:import|export)\s+(type\s)?(?:([\w$*{][^;'"]*?)\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Imports in comments are not imports; `keepStrings` of `blank` leaves the specifiers in place. */
export function importsOf(source: string): Import[] {
  const code = blank(source, { keepStrings: true });
  const imports: Import[] = [];
  for (const [, type, clause = '', specifier = ''] of code.matchAll(STATIC)) {
    const members = /^\{([^}]*)\}$/.exec(clause.trim())?.[1]?.split(',') ?? [];
    const named = members.map((member) => member.trim()).filter((member) => member !== '');
    const allTypes = named.length > 0 && named.every((member) => member.startsWith('type '));
    imports.push({ specifier, typeOnly: type !== undefined || allTypes });
  }
  for (const [, specifier = ''] of code.matchAll(DYNAMIC)) imports.push({ specifier, typeOnly: false });
  return imports;
}

/** After one of these a slash begins a regular expression, after anything else it divides. */
const BEFORE_REGEXP =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|delete|await))$/;

/** The same text with comments, and the insides of strings and regular expressions, as spaces. Lines stay. */
export function blank(source: string, { keepStrings = false } = {}): string {
  const out = source.split('');
  const erase = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Depths of braces at which a `}` goes back into a template literal. */
  const templates: number[] = [];
  let depth = 0;
  let code = '';
  let at = 0;
  const template = (from: number): number => {
    const end = endOfTemplate(source, from);
    if (!keepStrings) erase(from, end.at);
    if (end.opens) templates.push(depth++);
    return end.at + (end.opens ? 2 : 1);
  };
  while (at < source.length) {
    const char = source[at] ?? '';
    const two = source.slice(at, at + 2);
    if (two === '//' || two === '/*') {
      const end = two === '//' ? source.indexOf('\n', at) : source.indexOf('*/', at + 2) + 2;
      const until = end < (two === '//' ? 0 : 2) ? source.length : end;
      erase(at, until);
      at = until;
    } else if (char === "'" || char === '"') {
      const end = endOfString(source, at);
      if (!keepStrings) erase(at + 1, end);
      code += char;
      at = end + 1;
    } else if (char === '`') {
      code += char;
      at = template(at + 1);
    } else if (char === '}' && templates.at(-1) === depth - 1) {
      templates.pop();
      depth -= 1;
      at = template(at + 1);
    } else if (char === '/' && BEFORE_REGEXP.test(code.trimEnd())) {
      const end = endOfRegExp(source, at);
      if (!keepStrings) erase(at + 1, end);
      code += '/';
      at = end + 1;
    } else {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      code = (code + char).slice(-20);
      at += 1;
    }
  }
  return out.join('');
}

function endOfString(source: string, start: number): number {
  let at = start + 1;
  while (at < source.length && source[at] !== source[start] && source[at] !== '\n') {
    at += source[at] === '\\' ? 2 : 1;
  }
  return at;
}

function endOfTemplate(source: string, start: number): { at: number; opens: boolean } {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '`') return { at, opens: false };
    else if (source.startsWith('${', at)) return { at, opens: true };
  }
  return { at: source.length, opens: false };
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at];
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if ((char === '/' && !inClass) || char === '\n') return at;
  }
  return source.length;
}
