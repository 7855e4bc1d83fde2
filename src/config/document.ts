/**
 * YAML text to plain data: mappings, lists, texts, numbers, booleans and nothing, with the position of each.
 * What YAML could do beyond that (several documents, other tags, exploding aliases) is refused.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { isPlainKey, type Place, placeKey } from './place.ts';
import type { Position, Report } from './report.ts';

/** A configuration is a few hundred values; aliases could make millions of a few lines. */
const VALUES_MAX = 50_000;
/** Mappings and lists inside each other. Eight levels of rules need about twenty. */
const DEPTH_MAX = 40;

/** What the parser found, in our words: its own messages may quote the text, and the text may be a secret. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias is not written as `*name`',
  BAD_DIRECTIVE: 'unknown YAML directive',
  BAD_DQ_ESCAPE: 'unknown escape after a backslash; in single quotes a backslash is a plain character',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_PROP_ORDER: 'anchors and tags stand before the value',
  BAD_SCALAR_START: 'a text that begins with this character has to be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot begin on this line; a text that contains `: ` has to be quoted',
  BLOCK_IN_FLOW: 'inside { } and [ ] values are separated by commas',
  KEY_OVER_1024_CHARS: 'this key is longer than 1024 characters',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key has to be on one line, and a colon has to follow it',
  MULTIPLE_ANCHORS: 'one value has one anchor at the most',
  MULTIPLE_DOCS: 'a second YAML document begins here; a configuration is one document',
  MULTIPLE_TAGS: 'one value has one tag at the most',
  NON_STRING_KEY: 'a key has to be a plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'tabs are not allowed as indentation; use spaces',
  TAG_RESOLVE_FAILED: 'unknown YAML tag; a text that begins with `!` has to be quoted',
  UNEXPECTED_TOKEN: 'this is not expected here; is a quote, a comma or a line break missing?',
};

/**
 * @returns the data, or `undefined` if the text is not usable YAML; the report says why, and knows the
 *   positions of all values
 */
export function readDocument(text: string, report: Report): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // The excerpts of the source that "pretty" errors carry could show a secret.
    prettyErrors: false,
    logLevel: 'error',
    stringKeys: true,
    // Checked in our own walk, which knows the path and does not compare every key with every other.
    uniqueKeys: false,
  });
  if (document.errors.length > 0 || document.warnings.length > 0) {
    reportSyntax([...document.errors, ...document.warnings], text, lines, report);
    return undefined;
  }
  const walk = new Walk(lines, report);
  // Before the walk, which fills the positions and already reports problems by them.
  report.locate(walk.positions);
  return walk.whole(document);
}

/** After one of these the parser has lost its way: what it says next is about its own confusion. */
const DERAILING: ReadonlySet<string> = new Set([
  'UNEXPECTED_TOKEN',
  'MISSING_CHAR',
  'BAD_INDENT',
  'RESOURCE_EXHAUSTION',
]);

/** The first error of each line, up to the first that makes the rest worthless. */
function reportSyntax(errors: readonly YAMLError[], text: string, lines: LineCounter, report: Report): void {
  const seen = new Set<number>();
  const source = text.split('\n');
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const position = positionAt(lines, error.pos[0]);
    if (seen.has(position.line)) continue;
    seen.add(position.line);
    const isInterpolation = error.code === 'UNEXPECTED_TOKEN' && source[position.line - 1]?.includes('${');
    const message = isInterpolation
      ? 'inside { } and [ ] an interpolation has to be in quotes: "${NAME}"'
      : (SYNTAX[error.code] ?? 'syntax error');
    report.problemAt(position, [], `not valid YAML: ${message}`);
    if (DERAILING.has(error.code)) return;
  }
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** One walk over the parsed nodes. Stops, with a problem, at the bounds. */
class Walk {
  readonly positions = new Map<string, Position>();
  readonly #lines: LineCounter;
  readonly #report: Report;
  readonly #anchors = new Map<string, Node>();
  /** The anchored nodes around the current one. */
  readonly #open = new Set<Node>();
  #values = 0;
  #stopped = false;

  constructor(lines: LineCounter, report: Report) {
    this.#lines = lines;
    this.#report = report;
  }

  /** @returns `undefined` if the walk ended early */
  whole(document: Document.Parsed): unknown {
    this.positions.set(placeKey([]), { line: 1, column: 1 });
    const version = document.directives.yaml.version;
    if (version !== '1.2') {
      // Other versions read `yes`, `0o7` and `<<` differently.
      this.#stop([], `YAML ${version} was asked for; a configuration is YAML 1.2`);
      return undefined;
    }
    const value = this.#value(document.contents, [], 0);
    return this.#stopped ? undefined : value;
  }

  #value(node: Node | null, place: Place, depth: number): unknown {
    if (this.#stopped || node === null) return null;
    this.#values += 1;
    if (this.#values > VALUES_MAX)
      return this.#stop(place, `more than ${VALUES_MAX} values, aliases included`);
    if (depth > DEPTH_MAX) return this.#stop(place, `nested more than ${DEPTH_MAX} levels deep`);
    if (isAlias(node)) return this.#aliased(node, place, depth);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node) || isSeq(node)) {
      this.#open.add(node);
      const value = isMap(node)
        ? this.#mapping(node.items, place, depth)
        : node.items.map((item, index) => this.#item(nodeOf(item), [...place, index], depth + 1));
      this.#open.delete(node);
      return value;
    }
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
    return this.#refuse(place, 'expected text, a number, true or false; found a value with another YAML tag');
  }

  #item(node: Node | null, place: Place, depth: number): unknown {
    if (node !== null) this.positions.set(placeKey(place), this.#positionOf(node));
    return this.#value(node, place, depth);
  }

  #aliased(alias: Alias, place: Place, depth: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      return this.#refuse(
        place,
        'this alias has no anchor before it; a text that begins with `*` has to be quoted',
      );
    }
    if (this.#open.has(target)) return this.#refuse(place, 'this alias stands inside its own anchor');
    return this.#value(target, place, depth + 1);
  }

  #mapping(pairs: readonly { key: unknown; value: unknown }[], place: Place, depth: number): unknown {
    const mapping: Record<string, unknown> = {};
    for (const pair of pairs) {
      const keyNode = nodeOf(pair.key);
      const key = isScalar(keyNode) ? String(keyNode.value) : undefined;
      const position = this.#positionOf(keyNode);
      if (key === undefined || key === '__proto__') {
        this.#report.problemAt(position, place, 'this cannot be a key');
        continue;
      }
      const inner = [...place, key];
      const first = this.positions.get(placeKey(inner));
      if (Object.hasOwn(mapping, key)) {
        const where = first === undefined ? '' : `, first in line ${first.line}`;
        const isShown = isPlainKey(key) && pair.value !== null;
        this.#report.problemAt(position, isShown ? inner : place, `this key is written twice${where}`);
        continue;
      }
      this.positions.set(placeKey(inner), position);
      mapping[key] = this.#value(nodeOf(pair.value), inner, depth + 1);
    }
    return mapping;
  }

  /** The value has its problem; what the schema would say of the nothing in its place is of no use. */
  #refuse(place: Place, message: string): null {
    this.#report.problem(place, message);
    this.#report.mute(place);
    return null;
  }

  #stop(place: Place, message: string): null {
    this.#stopped = true;
    this.#report.problem(place, message);
    return null;
  }

  #positionOf(node: Node | null): Position {
    return node?.range ? positionAt(this.#lines, node.range[0]) : { line: 1, column: 1 };
  }
}

function nodeOf(value: unknown): Node | null {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? value : null;
}
