/** One pair of answers that differed, as the record keeps it: redacted before it leaves the memory of its process. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Difference, ShownValue } from '../comparison/difference.ts';
import { parsePath } from '../comparison/json-path.ts';
import type { Json } from '../comparison/json-tree.ts';
import type { Backend } from '../model.ts';
import type { ComparedRead, ShadowRequest } from '../shadow/report-sink.ts';
import type { Redaction } from './redaction.ts';
import { redactedHeader, type StoredAnswer, storedAnswer } from './stored-answer.ts';

/** Differences that are kept of one pair: those of the sample's own group first. */
const DIFFERENCES_MAX = 30;
const TARGET_CHARACTERS_MAX = 2_048;
/** Of a stored sample, when it is read: far beyond what is written. */
const SAMPLE_BYTES_MAX = 2 * 1024 * 1024;

export interface StoredRequest extends ShadowRequest {
  /** Why it cannot be sent again as it was; `undefined` where it can. Credentials aside, which are never stored. */
  readonly changed: 'target' | 'headers' | 'body' | undefined;
}

export interface Sample {
  readonly route: string;
  readonly cohort: string | undefined;
  readonly authoritative: Backend;
  readonly request: StoredRequest;
  readonly answers: { readonly authoritative: StoredAnswer; readonly secondary: StoredAnswer };
  /** The ones of the group first. */
  readonly differences: readonly Difference[];
}

/**
 * Request headers whose values are stored. The others may say who the user is: of those only a hash is kept, and the
 * request counts as changed.
 */
const PLAIN_REQUEST_HEADERS = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'content-length',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'origin',
  'pragma',
  'prefer',
  'range',
  'user-agent',
  'x-requested-with',
]);

/** They say how the request travelled, nothing of what was asked; not stored. */
const OF_TRAVEL =
  /^(?:x-forwarded-.*|forwarded|via|connection|keep-alive|x-request-id|traceparent|tracestate|baggage|referer|dnt|priority|upgrade-insecure-requests|sec-.*)$/;

/** @param isOfGroup whether a difference belongs to the group for which the sample is taken */
export function takeSample(
  read: ComparedRead,
  isOfGroup: (difference: Difference) => boolean,
  redaction: Redaction,
): Sample {
  const { differences } = read.comparison;
  const ordered = [...differences.filter(isOfGroup), ...differences.filter((one) => !isOfGroup(one))];
  return {
    route: read.route,
    cohort: read.cohort,
    authoritative: read.authoritative,
    request: storedRequest(read.request, redaction),
    answers: {
      authoritative: storedAnswer(read.answers.authoritative, redaction),
      secondary: storedAnswer(read.answers.secondary, redaction),
    },
    differences: ordered.slice(0, DIFFERENCES_MAX).map((one) => redactedDifference(one, redaction)),
  };
}

function storedRequest(request: ShadowRequest, redaction: Redaction): StoredRequest {
  const target = storedTarget(request.target, redaction);
  const headers: string[] = [];
  let isChanged = false;
  for (let index = 0; index + 1 < request.headers.length; index += 2) {
    const name = (request.headers[index] ?? '').toLowerCase();
    if (OF_TRAVEL.test(name)) continue;
    const value = request.headers[index + 1] ?? '';
    const stored = PLAIN_REQUEST_HEADERS.has(name)
      ? redactedHeader(name, value, redaction)
      : redaction.token(value);
    isChanged ||= stored !== value.trim();
    headers.push(name, stored);
  }
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(request.method);
  const changed = hasBody ? 'body' : target !== request.target ? 'target' : isChanged ? 'headers' : undefined;
  return { method: request.method, target, headers, changed };
}

function storedTarget(target: string, redaction: Redaction): string {
  const [path, query] = splitOnce(target, '?');
  const segments = path.split('/').map((segment) => redactedPart(segment, redaction));
  const parts = query?.split('&').map((part) => {
    const [name, value] = splitOnce(part, '=');
    if (value === undefined) return redactedPart(part, redaction);
    if (redaction.isSensitive(decoded(name)))
      return `${name}=${encodeURIComponent(redaction.token(decoded(value)))}`;
    return `${name}=${redactedPart(value, redaction)}`;
  });
  const whole = parts === undefined ? segments.join('/') : `${segments.join('/')}?${parts.join('&')}`;
  return whole.slice(0, TARGET_CHARACTERS_MAX);
}

/** Byte for byte as it was where there is nothing to hide. */
function redactedPart(part: string, redaction: Redaction): string {
  const plain = decoded(part);
  const redacted = redaction.text(plain);
  return redacted === plain ? part : encodeURIComponent(redacted);
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function redactedDifference(difference: Difference, redaction: Redaction): Difference {
  return {
    ...difference,
    path: redaction.text(difference.path),
    left: redactedValue(difference.left, difference, redaction),
    right: redactedValue(difference.right, difference, redaction),
  };
}

function redactedValue(shown: ShownValue, { path, kind }: Difference, redaction: Redaction): ShownValue {
  if (shown.type === 'absent' || shown.value === undefined) return shown;
  const value = asJson(shown.value);
  if (!path.startsWith('$')) {
    const name = path.replace(/^header\./, '');
    const isHidden = kind === 'header' && redaction.isSensitive(name);
    const redacted = typeof value === 'string' ? redaction.text(value) : value;
    return { type: shown.type, value: isHidden ? redaction.token(value) : redacted };
  }
  const parsed = parsePath(path);
  // A path with a name that was cut cannot be read: nobody knows what the value is.
  if (parsed.problem !== undefined) return { type: shown.type, value: redaction.token(value) };
  const names = parsed.steps.map(({ match }) => {
    if (match.kind === 'name') return match.name;
    return match.kind === 'index' ? match.index : '*';
  });
  return { type: shown.type, value: redaction.valueAt(value, names) };
}

/** A `ShownValue` holds a copy of a part of a document. */
function asJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value) ?? 'null');
  return json;
}

/** @returns some kilobytes for most samples */
export function encodeSample(sample: Sample): Uint8Array {
  return zstdCompressSync(Buffer.from(JSON.stringify(sample)));
}

/** @throws for bytes that `encodeSample` did not make */
export function decodeSample(bytes: Uint8Array): Sample {
  const text = zstdDecompressSync(bytes, { maxOutputLength: SAMPLE_BYTES_MAX }).toString();
  const sample: Sample = JSON.parse(text);
  return sample;
}
