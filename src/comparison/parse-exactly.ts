/**
 * The slow reading of a document: nothing is lost. It is given texts that `JSON.parse` has accepted, so it checks
 * nothing; that keeps it short.
 */
import { numberOf } from './exact-number.ts';
import { type Duplicates, type Json, type JsonDocument, type JsonObject, setMember } from './json-tree.ts';

const NUMBER = /-?[0-9][0-9.eE+-]*/y;
const SPACE = /[ \t\n\r]*/y;

/**
 * @param text a valid JSON text
 * @param depthMax arrays and objects inside each other
 * @returns `undefined` if it is deeper
 */
export function parseExactly(text: string, depthMax: number): JsonDocument | undefined {
  const reader = new Reader(text, depthMax);
  const root = reader.value(0);
  return reader.isTooDeep ? undefined : { root, duplicates: reader.duplicates };
}

class Reader {
  isTooDeep = false;
  readonly duplicates: Duplicates = new Map();
  readonly #text: string;
  readonly #depthMax: number;
  #at = 0;
  /** The next backslash at or behind the place of reading; the length of the text when there is none. */
  #slash: number;

  constructor(text: string, depthMax: number) {
    this.#text = text;
    this.#slash = this.#slashFrom(0);
    this.#depthMax = depthMax;
  }

  value(depth: number): Json {
    this.#skipSpace();
    if (depth > this.#depthMax) this.isTooDeep = true;
    if (this.isTooDeep) return null;
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        this.#at += 4;
        return true;
      case 'f':
        this.#at += 5;
        return false;
      case 'n':
        this.#at += 4;
        return null;
      default:
        return this.#number();
    }
  }

  #skipSpace(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > 0x20) return;
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = Math.max(this.#at, SPACE.lastIndex);
  }

  /** Passes the character if it is the next one. */
  #passes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #array(depth: number): Json {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#passes(']')) return items;
    do {
      items.push(this.value(depth + 1));
    } while (this.#passes(',') && !this.isTooDeep);
    this.#passes(']');
    return items;
  }

  #object(depth: number): Json {
    const object: Record<string, Json> = {};
    this.#at += 1;
    if (this.#passes('}')) return object;
    do {
      this.#skipSpace();
      const key = this.#string();
      this.#passes(':');
      const value = this.value(depth + 1);
      if (Object.hasOwn(object, key)) this.#noteDuplicate(object, key, value);
      setMember(object, key, value);
    } while (this.#passes(',') && !this.isTooDeep);
    this.#passes('}');
    return object;
  }

  #noteDuplicate(object: JsonObject, key: string, value: Json): void {
    let keys = this.duplicates.get(object);
    if (keys === undefined) this.duplicates.set(object, (keys = new Map()));
    const values = keys.get(key);
    if (values === undefined) keys.set(key, [object[key] ?? null, value]);
    else values.push(value);
  }

  #string(): string {
    const begin = this.#at;
    let end = this.#text.indexOf('"', begin + 1);
    const hasEscape = this.#slash < end;
    // A backslash before the quote takes the character behind it along.
    while (this.#slash < end) {
      if (this.#slash + 1 === end) end = this.#text.indexOf('"', end + 1);
      this.#slash = this.#slashFrom(this.#slash + 2);
    }
    this.#at = end + 1;
    if (!hasEscape) return this.#text.slice(begin + 1, end);
    const value: unknown = JSON.parse(this.#text.slice(begin, end + 1));
    return typeof value === 'string' ? value : '';
  }

  #slashFrom(begin: number): number {
    const found = this.#text.indexOf('\\', begin);
    return found < 0 ? this.#text.length : found;
  }

  #number(): Json {
    NUMBER.lastIndex = this.#at;
    const [text = '0'] = NUMBER.exec(this.#text) ?? [];
    this.#at += text.length;
    return numberOf(text);
  }
}
