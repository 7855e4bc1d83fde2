/**
 * Text that somebody else wrote, made harmless to look at: bounded, and with everything visible that a browser would
 * obey or swallow. Marks of direction turn a line around, characters of no width hide in it.
 */

export interface TextPart {
  /** `mark` stands for one character that is not shown itself. */
  readonly kind: 'plain' | 'mark';
  /** Of a mark the code, such as `U+202E`. */
  readonly text: string;
}

export interface BoundedText {
  readonly parts: readonly TextPart[];
  /** Characters (UTF-16 units) that were left out in front and behind. */
  readonly before: number;
  readonly after: number;
}

/** Control, format, line and paragraph separators, halves of pairs; a tab does no harm. */
const UNSEEN = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** Whether a surrogate pair would be torn apart there. */
function isInsidePair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const before = text.charCodeAt(at - 1);
  return code >= 0xdc00 && code <= 0xdfff && before >= 0xd800 && before <= 0xdbff;
}

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/** @param text short: it is looked at as a whole */
function partsOf(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const { 0: character, index } of text.matchAll(UNSEEN)) {
    if (index > at) parts.push({ kind: 'plain', text: text.slice(at, index) });
    parts.push({ kind: 'mark', text: codeOf(character) });
    at = index + character.length;
  }
  if (at < text.length) parts.push({ kind: 'plain', text: text.slice(at) });
  return parts;
}

/**
 * A piece of a text, of any length.
 *
 * @param charactersMax that are shown
 * @param from where the piece begins
 */
export function boundedText(text: string, charactersMax: number, from = 0): BoundedText {
  const begin = isInsidePair(text, from) ? from - 1 : from;
  const wanted = Math.min(text.length, begin + charactersMax);
  const end = isInsidePair(text, wanted) ? wanted - 1 : wanted;
  return { parts: partsOf(text.slice(begin, end)), before: begin, after: text.length - end };
}

/** The same as one text without markup, for titles and places that take nothing else. */
export function plainText(text: string, charactersMax: number): string {
  const { parts, after } = boundedText(text, charactersMax);
  const shown = parts.map((part) => (part.kind === 'mark' ? `⟨${part.text}⟩` : part.text)).join('');
  return after === 0 ? shown : `${shown}…`;
}

export interface DifferingPart {
  /** Where what differs begins, the same on both sides. */
  readonly begin: number;
  readonly leftEnd: number;
  readonly rightEnd: number;
}

/** What is left of two texts without what they have in common at both ends. */
export function differingPart(left: string, right: string): DifferingPart {
  const shorter = Math.min(left.length, right.length);
  let begin = 0;
  while (begin < shorter && left.charCodeAt(begin) === right.charCodeAt(begin)) begin += 1;
  let tail = 0;
  while (
    tail < shorter - begin &&
    left.charCodeAt(left.length - 1 - tail) === right.charCodeAt(right.length - 1 - tail)
  ) {
    tail += 1;
  }
  if (isInsidePair(left, begin) || isInsidePair(right, begin)) begin -= 1;
  if (isInsidePair(left, left.length - tail) || isInsidePair(right, right.length - tail)) tail -= 1;
  return { begin, leftEnd: left.length - tail, rightEnd: right.length - tail };
}

export interface MarkedText {
  readonly before: BoundedText;
  readonly marked: BoundedText;
  readonly after: BoundedText;
}

/** Characters that are shown in front of what differs. */
const LEAD = 40;

/**
 * One side of a pair with what differs apart, so that it can be marked. Of long texts the part around the
 * beginning of the difference is shown.
 */
export function markedText(text: string, begin: number, end: number, charactersMax: number): MarkedText {
  const isShort = text.length <= charactersMax;
  const from = isShort ? 0 : Math.max(0, begin - LEAD);
  const before = boundedText(text.slice(0, begin), begin - from, from);
  const marked = boundedText(text.slice(begin, end), Math.max(0, charactersMax - (begin - from)));
  const left = Math.max(0, charactersMax - (begin - from) - (end - begin));
  const after = boundedText(text.slice(end), marked.after > 0 ? 0 : left);
  return { before, marked, after };
}
