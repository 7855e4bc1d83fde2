/**
 * What of an answer may be stored. Credentials in headers are dropped. Values under names that look secret or personal,
 * at configured paths, and values that look like an address, a card or a token wherever they stand, become their type,
 * length and keyed hash: `[string 17 3f9a…]`. The key is made by each process, is never stored and dies with it,
 * so nobody can find a value by trying; equal values of one process have equal hashes, so a stored pair still tells
 * equal from unequal.
 *
 * A text and not an object stands for the value, because stored pairs are compared again: at the same path then.
 */
import { createHmac } from 'node:crypto';
import { canonical } from '../comparison/canonical.ts';
import { compileRules } from '../comparison/compile-rules.ts';
import { ExactNumber } from '../comparison/exact-number.ts';
import { isArray, isObject, type Json, member, setMember } from '../comparison/json-tree.ts';
import { DEFAULT_REDACTED_NAMES } from '../comparison/redact-value.ts';
import type { RuleState } from '../comparison/rule-state.ts';

const HASH_CHARACTERS = 12;

/** As `redactValue` writes it. */
const TOKEN = /^\[(?:null|boolean|number|string|array|object|bytes) \d+ [0-9a-f]{12}\]$/;

/** Whether a stored value stands for one that was redacted. */
export function isRedacted(value: unknown): boolean {
  return typeof value === 'string' && TOKEN.test(value);
}

/** Beyond the comparison's own list. */
const MORE_NAMES = /^(?:client|remote|user|source|peer)ip$|^(?:csrf|xsrf)|^salt$/;

/**
 * In any text. Each stands for itself: what is found is replaced, the text around it stays. A pattern is only tried
 * where its mark is in the text, and begins at no more than one place in a run of letters, so that a long text costs
 * time in proportion to its length.
 */
const SENSITIVE_TEXTS: readonly { readonly mark: RegExp; readonly pattern: RegExp }[] = [
  {
    mark: /@/,
    pattern: /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]{1,190}\.\p{L}{2,24}/gu,
  },
  { mark: /eyJ/, pattern: /eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g },
  { mark: /B(?:earer|asic) /, pattern: /\b(?:Bearer|Basic) [\w+/=.~-]{8,}/g },
  { mark: /[A-Z]{2}\d{2}/, pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b/g },
  { mark: /\d[\d -]{11}/, pattern: /\b\d(?:[ -]?\d){12,18}\b/g },
];

export interface RedactionOptions {
  /** Paths into documents, as rules have them. */
  readonly paths: readonly string[];
  /** Further names of members, in any case, with or without `_` and `-`. */
  readonly names: readonly string[];
}

/** Names that were looked at are few and come again and again. */
const KNOWN_NAMES_MAX = 10_000;
const NAME_CHARACTERS_MAX = 200;

export class Redaction {
  readonly #key: Uint8Array;
  readonly #start: RuleState | undefined;
  readonly #names: ReadonlySet<string>;
  readonly #known = new Map<string, boolean>();

  /**
   * @param key secret of this process
   * @throws RangeError for a path that is none
   */
  constructor(key: Uint8Array, options: RedactionOptions) {
    this.#key = key;
    const compiled = compileRules({ ignore: options.paths });
    if (compiled.rules === undefined) {
      throw new RangeError(
        `a path to redact: ${compiled.problems.map(({ why, expected }) => why ?? expected).join('; ')}`,
      );
    }
    this.#start = compiled.rules.start;
    this.#names = new Set(options.names.map((name) => name.toLowerCase().replaceAll(/[_\-\s]/g, '')));
  }

  /** Whether the value of that name is secret or personal by its name. */
  isSensitive(name: string): boolean {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const plain = name
      .slice(0, NAME_CHARACTERS_MAX)
      .toLowerCase()
      .replaceAll(/[_\-\s]/g, '');
    const answer =
      this.#names.has(plain) ||
      MORE_NAMES.test(plain) ||
      DEFAULT_REDACTED_NAMES.some((pattern) => pattern.test(plain));
    if (this.#known.size >= KNOWN_NAMES_MAX) this.#known.clear();
    this.#known.set(name, answer);
    return answer;
  }

  /** A whole value as its type, length and hash. Of an array or object the length is the number of its members. */
  token(value: Json | Uint8Array): string {
    const [type, length, text] = describe(value);
    const hash = createHmac('sha256', this.#key).update(`${type}:`).update(text).digest('hex');
    return `[${type} ${length} ${hash.slice(0, HASH_CHARACTERS)}]`;
  }

  /** A text with what looks personal or secret in it replaced. */
  text(text: string): string {
    let redacted = text;
    for (const { mark, pattern } of SENSITIVE_TEXTS) {
      if (mark.test(redacted)) redacted = redacted.replaceAll(pattern, (found) => this.token(found));
    }
    return redacted;
  }

  /** A document with the values redacted that have to be. */
  document(root: Json): Json {
    return this.#redact(root, this.#start);
  }

  /**
   * One value that is part of a document.
   * @param names of the members that lead to it, an index as a number
   */
  valueAt(value: Json, names: readonly (string | number)[]): Json {
    let state = this.#start;
    for (const name of names) {
      state = typeof name === 'number' ? state?.item(name) : state?.member(name);
      const isHidden = state?.effects?.ignore !== undefined;
      if (isHidden || (typeof name === 'string' && this.isSensitive(name))) return this.#hide(value);
    }
    return this.#redact(value, state);
  }

  /** Null says nothing about anybody, and hiding it would hide that a value is missing. */
  #hide(value: Json): Json {
    return value === null || isRedacted(value) ? value : this.token(value);
  }

  #redact(value: Json, state: RuleState | undefined): Json {
    if (state?.effects?.ignore !== undefined) return this.#hide(value);
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return looksLikeCard(String(value)) ? this.token(value) : value;
    if (value instanceof ExactNumber) return looksLikeCard(value.text) ? this.token(value) : value;
    if (isArray(value)) return value.map((item, index) => this.#redact(item, state?.item(index)));
    if (!isObject(value)) return value;
    const object: Record<string, Json> = {};
    for (const name of Object.keys(value)) {
      const inner = member(value, name) ?? null;
      const redacted = this.isSensitive(name) ? this.#hide(inner) : this.#redact(inner, state?.member(name));
      // A key of a map may be an address itself.
      setMember(object, this.text(name), redacted);
    }
    return object;
  }
}

/** 13 to 19 digits whose check digit is right (ISO/IEC 7812): ids and times in nanoseconds rarely are. */
function looksLikeCard(text: string): boolean {
  if (!/^\d{13,19}$/.test(text)) return false;
  let sum = 0;
  for (let place = 0; place < text.length; place += 1) {
    const doubled = Number(text.charAt(text.length - 1 - place)) * (place % 2 === 0 ? 1 : 2);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function describe(
  value: Json | Uint8Array,
): readonly [type: string, length: number, text: string | Uint8Array] {
  if (value instanceof Uint8Array) return ['bytes', value.length, value];
  if (typeof value === 'string') return ['string', value.length, value];
  if (value instanceof ExactNumber) return ['number', value.text.length, value.key];
  if (typeof value === 'number') return ['number', String(value).length, String(value)];
  if (typeof value === 'boolean') return ['boolean', String(value).length, String(value)];
  if (value === null) return ['null', 0, ''];
  if (isArray(value)) return ['array', value.length, canonical(value)];
  return ['object', Object.keys(value).length, canonical(value)];
}
