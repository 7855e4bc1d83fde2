/** Reads one cookie without taking the whole header apart. */

const SPACE = 32;
const TAB = 9;
const QUOTE = 34;

/**
 * The value of the first cookie with this name in a `Cookie` header. As RFC 6265 has it, the name is
 * compared as it is, and the value is opaque: it is not percent-decoded. One pair of double quotes around it
 * is taken off, for the grammar has them outside of the value's characters. An empty value is `''`.
 */
export function cookieValue(header: string, name: string): string | undefined {
  const length = header.length;
  let start = 0;
  while (start < length) {
    let end = header.indexOf(';', start);
    if (end < 0) end = length;
    while (start < end && isBlank(header.charCodeAt(start))) start += 1;
    const equals = start + name.length;
    if (equals < end && header.startsWith(name, start)) {
      let at = equals;
      while (at < end && isBlank(header.charCodeAt(at))) at += 1;
      if (header.charCodeAt(at) === 61 && at < end) return trimmed(header, at + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function trimmed(header: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(header.charCodeAt(start))) start += 1;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end -= 1;
  const quoted =
    end - start >= 2 && header.charCodeAt(start) === QUOTE && header.charCodeAt(end - 1) === QUOTE;
  return quoted ? header.slice(start + 1, end - 1) : header.slice(start, end);
}
