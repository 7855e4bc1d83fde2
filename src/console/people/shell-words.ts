/** The words of a line as a POSIX shell would cut it, without running anything of it. Pure. */

/** What `$'…'` makes of a letter after a backslash. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
/** What a backslash escapes between double quotes; before anything else it stays. */
const ESCAPED_IN_DOUBLE = new Set(['"', '\\', '$', '`']);
/** Here the command ends for a shell; the rest is another command, or where the output goes. */
const END = /[;&|<>\n]/u;

/**
 * @returns the words up to the end of the first command; variables and commands inside are not replaced
 * @throws SyntaxError when a quote is not closed
 */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  const add = (text: string, next: number): void => {
    word = (word ?? '') + text;
    at = next;
  };
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === '\\') {
      const continued = /^\\\r?\n/u.exec(line.slice(at, at + 3))?.[0].length;
      if (continued === undefined) add(line.charAt(at + 1), at + 2);
      else at += continued;
    } else if (char === "'") {
      const end = closing(line, "'", at + 1);
      add(line.slice(at + 1, end), end + 1);
    } else if (char === '"') {
      const [text, next] = doubleQuoted(line, at + 1);
      add(text, next);
    } else if (char === '$' && line.charAt(at + 1) === "'") {
      const [text, next] = dollarQuoted(line, at + 2);
      add(text, next);
    } else if (/[ \t\r]/u.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else if (END.test(char)) {
      break;
    } else {
      add(char, at + 1);
    }
  }
  return word === undefined ? words : [...words, word];
}

function closing(line: string, quote: string, from: number): number {
  const end = line.indexOf(quote, from);
  if (end < 0) throw new SyntaxError(`A quote ${quote} is not closed.`);
  return end;
}

type Quoted = readonly [text: string, next: number];

function doubleQuoted(line: string, from: number): Quoted {
  let text = '';
  for (let at = from; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '"') return [text, at + 1];
    const next = line.charAt(at + 1);
    if (char !== '\\' || (!ESCAPED_IN_DOUBLE.has(next) && next !== '\n')) {
      text += char;
      continue;
    }
    if (next !== '\n') text += next;
    at += 1;
  }
  throw new SyntaxError('A quote " is not closed.');
}

/** `$'…'`, which browsers write for what has quotes or line ends in it. */
function dollarQuoted(line: string, from: number): Quoted {
  let text = '';
  let at = from;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === "'") return [text, at + 1];
    if (char !== '\\') {
      text += char;
      at += 1;
      continue;
    }
    const code = /^\\(?:x([0-9a-f]{1,2})|u([0-9a-f]{1,4}))/iu.exec(line.slice(at, at + 6));
    const letter = line.charAt(at + 1);
    if (code === null) {
      text += ESCAPES[letter] ?? letter;
      at += 2;
    } else {
      text += String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? '', 16));
      at += code[0].length;
    }
  }
  throw new SyntaxError("A quote $' is not closed.");
}
