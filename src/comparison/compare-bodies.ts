/**
 * The bodies of two answers: undo their encodings, choose how they are compared, compare them.
 */
import { binaryDifference, describeBytes, textDifference } from './compare-bytes.ts';
import type { WalkRules } from './compare-json.ts';
import { type DecodedBody, decodeBody, encodingsOf } from './decode-body.ts';
import type { Limits, ShownValue } from './difference.ts';
import { covered, type Findings, found, NOTHING, uncompared } from './findings.ts';
import { coverOf } from './leaf-rules.ts';
import type { BodyForm, MediaType } from './media-type.ts';
import { headerValues, type Observation } from './observation.ts';
import { looksLikeJson, normaliseText, readText } from './read-text.ts';
import { ABSENT, show } from './show-value.ts';
import { compareForms, compareJsonBodies, compareJsonLines } from './structured-bodies.ts';

export interface BodyContext {
  readonly rules: WalkRules;
  readonly limits: Limits;
  readonly leftType: MediaType;
  readonly rightType: MediaType;
  /** Bodies of different kinds are said to be so by their types already. */
  readonly typesAreCompared: boolean;
}

export function compareBodies(left: Observation, right: Observation, context: BodyContext): Findings {
  const ignored = context.rules.start.effects?.ignore;
  if (ignored !== undefined) {
    const isSame = left.body !== undefined && right.body?.equals(left.body) === true;
    return isSame ? NOTHING : covered(new Set([ignored]));
  }
  if (left.body === undefined || right.body === undefined) return uncompared('not-kept');
  if (left.bodyTruncated || right.bodyTruncated) return uncompared('truncated');
  const leftEncodings = encodingsOf(headerValues(left, 'content-encoding'));
  const rightEncodings = encodingsOf(headerValues(right, 'content-encoding'));
  const isPlain = leftEncodings.length === 0 && rightEncodings.length === 0;
  const isSameEncoding = isPlain || leftEncodings.join() === rightEncodings.join();
  if (isSameEncoding && left.body.equals(right.body)) return NOTHING;
  if (context.leftType.form === 'event-stream' || context.rightType.form === 'event-stream') {
    return uncompared('event-stream');
  }
  const { decodedBytesMax } = context.limits;
  const one = decodeBody(left.body, leftEncodings, decodedBytesMax);
  const other = decodeBody(right.body, rightEncodings, decodedBytesMax);
  if (one.kind === 'decoded' && other.kind === 'decoded') {
    if (!isPlain && one.bytes.equals(other.bytes)) return NOTHING;
    return compareDecoded(one.bytes, other.bytes, context);
  }
  return notDecoded(one, other, left.body, right.body);
}

function notDecoded(one: DecodedBody, other: DecodedBody, left: Buffer, right: Buffer): Findings {
  if (one.kind === 'corrupt' && other.kind === 'corrupt') return found(binaryDifference(left, right));
  if (one.kind === 'corrupt' || other.kind === 'corrupt') {
    return found(
      Object.freeze({
        path: 'body',
        pattern: 'body',
        kind: 'encoding',
        left: show('bytes', one.kind),
        right: show('bytes', other.kind),
      }),
    );
  }
  return uncompared(
    one.kind === 'too-large' || other.kind === 'too-large' ? 'too-large' : 'unknown-encoding',
  );
}

/** @param left, right differ */
function compareDecoded(left: Buffer, right: Buffer, context: BodyContext): Findings {
  if (left.length === 0 || right.length === 0) {
    const shown = (bytes: Buffer): ShownValue =>
      bytes.length === 0 ? ABSENT : show('bytes', describeBytes(bytes));
    const kind = right.length === 0 ? 'missing' : 'extra';
    return found(
      Object.freeze({ path: 'body', pattern: 'body', kind, left: shown(left), right: shown(right) }),
    );
  }
  const { rules, limits } = context;
  const form = formOf(left, right, context);
  switch (form) {
    case undefined:
      return NOTHING;
    case 'json':
      return compareJsonBodies(left, right, rules, limits) ?? compareTexts(left, right, context);
    case 'json-lines':
      return compareJsonLines(left, right, rules, limits) ?? compareTexts(left, right, context);
    case 'form':
      return compareForms(left, right, rules, limits);
    case 'text':
      return compareTexts(left, right, context);
    case 'event-stream':
      return uncompared('event-stream');
    case 'binary':
      return found(binaryDifference(left, right));
    default:
      return form satisfies never;
  }
}

/** `undefined`: their types differ, that is reported, and there is nothing more to say. */
function formOf(left: Buffer, right: Buffer, context: BodyContext): BodyForm | undefined {
  const { leftType, rightType } = context;
  const form = leftType.form ?? rightType.form;
  if (form !== undefined && form === (rightType.form ?? leftType.form)) return form;
  if (looksLikeJson(left) && looksLikeJson(right)) return 'json';
  return form !== undefined && context.typesAreCompared ? undefined : 'text';
}

function compareTexts(left: Buffer, right: Buffer, { rules, leftType, rightType }: BodyContext): Findings {
  const charset = leftType.charset ?? rightType.charset;
  const one = readText(left, charset);
  const other = readText(right, rightType.charset ?? charset);
  if (one === undefined || other === undefined || one.includes('\0')) {
    return found(binaryDifference(left, right));
  }
  const [plain, otherPlain] = [normaliseText(one), normaliseText(other)];
  if (plain === otherPlain) return NOTHING;
  const { effects } = rules.start;
  const label = effects && coverOf(plain, otherPlain, effects);
  return label === undefined ? found(textDifference(plain, otherPlain)) : covered(new Set([label]));
}
