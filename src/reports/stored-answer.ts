/** An answer as a sample keeps it: decoded, redacted, bounded. */
import { decodeBody, encodingsOf } from '../comparison/decode-body.ts';
import { ExactNumber } from '../comparison/exact-number.ts';
import { isArray, isObject, type Json, member } from '../comparison/json-tree.ts';
import { mediaTypeOf } from '../comparison/media-type.ts';
import { headerValues, type Observation } from '../comparison/observation.ts';
import { parseJson } from '../comparison/parse-json.ts';
import { looksLikeJson, readText } from '../comparison/read-text.ts';
import type { Redaction } from './redaction.ts';

/** Of one side, after decoding. */
export const SAMPLE_BODY_BYTES_MAX = 65_536;
/** Documents nested deeper are left out: redaction walks them on the stack. */
const DEPTH_MAX = 100;
const HEADERS_MAX = 60;
const HEADER_CHARACTERS_MAX = 1_024;

export type StoredBody =
  | { readonly kind: 'text'; readonly text: string }
  /** `shown` is its length and keyed hash: what it was is gone, whether two are equal is not. */
  | { readonly kind: 'hidden'; readonly shown: string }
  | { readonly kind: 'left-out'; readonly why: 'too_large' | 'not_kept' | 'not_decoded' | 'too_deep' };

export interface StoredAnswer {
  /** 0 where `failure` says why there is none. */
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: StoredBody;
  readonly durationMs: number | undefined;
  readonly failure: { readonly kind: 'timeout' | 'error'; readonly code: string } | undefined;
}

/** Never stored: they let somebody in, or say how the body was sent and it is stored otherwise. */
const DROPPED = new Set([
  'set-cookie',
  'set-cookie2',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'authentication-info',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
]);

export function storedAnswer(answer: Observation, redaction: Redaction): StoredAnswer {
  return {
    status: answer.status,
    headers: storedHeaders(answer.headers, redaction),
    body: storedBody(answer, redaction),
    durationMs: answer.durationMs,
    failure: answer.failure && { kind: answer.failure.kind, code: answer.failure.code.slice(0, 100) },
  };
}

function storedHeaders(headers: readonly string[], redaction: Redaction): StoredAnswer['headers'] {
  const stored: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length && stored.length < HEADERS_MAX; index += 2) {
    const name = (headers[index] ?? '').toLowerCase();
    if (DROPPED.has(name)) continue;
    stored.push([name, redactedHeader(name, headers[index + 1] ?? '', redaction)]);
  }
  return stored;
}

/** @param name in lower case */
export function redactedHeader(name: string, value: string, redaction: Redaction): string {
  const text = value.trim().slice(0, HEADER_CHARACTERS_MAX);
  return redaction.isSensitive(name) ? redaction.token(text) : redaction.text(text);
}

function storedBody(answer: Observation, redaction: Redaction): StoredBody {
  const { body } = answer;
  if (body === undefined || answer.bodyTruncated) return { kind: 'left-out', why: 'not_kept' };
  if (body.length === 0) return { kind: 'text', text: '' };
  const encodings = encodingsOf(headerValues(answer, 'content-encoding'));
  const decoded = decodeBody(body, encodings, SAMPLE_BODY_BYTES_MAX);
  if (decoded.kind === 'too-large') return { kind: 'left-out', why: 'too_large' };
  if (decoded.kind !== 'decoded') return { kind: 'left-out', why: 'not_decoded' };
  return redactedBody(decoded.bytes, headerValues(answer, 'content-type')[0], redaction);
}

function redactedBody(bytes: Buffer, contentType: string | undefined, redaction: Redaction): StoredBody {
  const type = mediaTypeOf(contentType);
  switch (type.form) {
    case 'json':
      return redactedJson(bytes, redaction) ?? redactedText(bytes, type.charset, redaction);
    case 'json-lines':
      return redactedLines(bytes, type.charset, redaction);
    case 'form':
      return redactedForm(bytes, redaction);
    case 'text':
    case 'event-stream':
      return redactedText(bytes, type.charset, redaction);
    case 'binary':
    case undefined: {
      const json = looksLikeJson(bytes) ? redactedJson(bytes, redaction) : undefined;
      return json ?? { kind: 'hidden', shown: redaction.token(bytes) };
    }
    default:
      return type.form satisfies never;
  }
}

function redactedJson(bytes: Buffer, redaction: Redaction): StoredBody | undefined {
  const read = parseJson(bytes, { depthMax: DEPTH_MAX });
  if (read.kind === 'too-deep') return { kind: 'left-out', why: 'too_deep' };
  if (read.kind === 'invalid') return undefined;
  // Of a key that an object has twice, `JSON.parse` and this show the last value.
  return bounded(printJson(redaction.document(read.document.root)));
}

function redactedLines(bytes: Buffer, charset: string | undefined, redaction: Redaction): StoredBody {
  const text = readText(bytes, charset);
  if (text === undefined) return { kind: 'hidden', shown: redaction.token(bytes) };
  const lines = text.split('\n').map((line) => {
    if (line.trim() === '') return line;
    const read = parseJson(Buffer.from(line), { depthMax: DEPTH_MAX });
    if (read.kind === 'invalid') return redaction.text(line);
    return read.kind === 'too-deep'
      ? JSON.stringify(redaction.token(line))
      : printJson(redaction.document(read.document.root));
  });
  return bounded(lines.join('\n'));
}

function redactedForm(bytes: Buffer, redaction: Redaction): StoredBody {
  const form = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(bytes.toString().trim())) {
    form.append(name, redaction.isSensitive(name) ? redaction.token(value) : redaction.text(value));
  }
  return bounded(form.toString());
}

function redactedText(bytes: Buffer, charset: string | undefined, redaction: Redaction): StoredBody {
  const text = readText(bytes, charset);
  if (text === undefined || text.includes('\0')) return { kind: 'hidden', shown: redaction.token(bytes) };
  return bounded(redaction.text(text));
}

/** Hashes may be longer than what they stand for. */
function bounded(text: string): StoredBody {
  return Buffer.byteLength(text) > SAMPLE_BODY_BYTES_MAX
    ? { kind: 'left-out', why: 'too_large' }
    : { kind: 'text', text };
}

/** JSON text in which exact numbers are numbers. */
function printJson(value: Json): string {
  if (value instanceof ExactNumber) return value.text;
  if (isArray(value)) return `[${value.map(printJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).map(
    (name) => `${JSON.stringify(name)}:${printJson(member(value, name) ?? null)}`,
  );
  return `{${members.join(',')}}`;
}

/** @returns an answer that can be compared; `undefined` where the body was left out */
export function observationOf(stored: StoredAnswer): Observation | undefined {
  const { status, failure, durationMs } = stored;
  const more = { ...(durationMs === undefined ? {} : { durationMs }), bodyTruncated: false };
  if (failure !== undefined) return { status, headers: [], body: undefined, failure, ...more };
  if (stored.body.kind === 'left-out') return undefined;
  const text = stored.body.kind === 'text' ? stored.body.text : stored.body.shown;
  const type = stored.headers.find(([name]) => name === 'content-type')?.[1];
  const { charset } = mediaTypeOf(type);
  const headers = stored.headers.flatMap(([name, value]) =>
    // It is stored as UTF-8, whatever it was.
    name === 'content-type' && charset !== undefined
      ? [name, value.replace(/;\s*charset=[^;]*/i, ';charset=utf-8')]
      : [name, value],
  );
  return { status, headers, body: Buffer.from(text), ...more };
}
