/**
 * Content-Type: what it says of the body, and whether two of them say the same.
 */

/** How a body is compared. */
export type BodyForm = 'json' | 'json-lines' | 'form' | 'text' | 'event-stream' | 'binary';

export interface MediaType {
  /** `type/subtype` in lower case; empty where none was sent, or none that can be read. */
  readonly essence: string;
  /** Parameters in order of name, names in lower case; those that mean nothing here are left out. */
  readonly parameters: string;
  readonly charset: string | undefined;
  readonly form: BodyForm | undefined;
}

const NONE: MediaType = Object.freeze({ essence: '', parameters: '', charset: undefined, form: undefined });

const ESSENCE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}\/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127})\s*(?:;|$)/;
const PARAMETER = /;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))/g;

const TEXT_MAX = 1024;

/** Answers have few different types; more than this many are somebody's random ones. */
const KNOWN_MAX = 256;
const known = new Map<string, MediaType>();

/** @param value of the header; `undefined` where there is none */
export function mediaTypeOf(value: string | undefined): MediaType {
  if (value === undefined || value.length > TEXT_MAX) return NONE;
  const found = known.get(value);
  if (found !== undefined) return found;
  if (known.size >= KNOWN_MAX) known.clear();
  const read = Object.freeze(readMediaType(value));
  known.set(value, read);
  return read;
}

function readMediaType(value: string): MediaType {
  const essence = ESSENCE.exec(value)?.[1]?.toLowerCase();
  if (essence === undefined) return NONE;
  const form = formOf(essence);
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of value.matchAll(PARAMETER)) {
    const text = quoted === undefined ? plain : quoted.replaceAll(/\\(.)/g, '$1');
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), text);
  }
  const charset = parameters.get('charset')?.toLowerCase();
  if (charset !== undefined) parameters.set('charset', charset === 'utf8' ? 'utf-8' : charset);
  // JSON is UTF-8 whatever is said (RFC 8259); a boundary is made up for each answer.
  if (form === 'json' || form === 'json-lines') parameters.delete('charset');
  if (essence.startsWith('multipart/')) parameters.delete('boundary');
  const sorted = [...parameters].map(([name, text]) => `${name}=${text}`).sort();
  return { essence, parameters: sorted.join(';'), charset, form };
}

const JSON_LINES = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
  'application/json-lines',
  'application/json-seq',
  'application/stream+json',
]);
const TEXTS = new Set([
  'application/xml',
  'application/javascript',
  'application/ecmascript',
  'application/x-javascript',
  'application/graphql',
  'application/sql',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'image/svg+xml',
]);

function formOf(essence: string): BodyForm {
  if (JSON_LINES.has(essence)) return 'json-lines';
  if (essence.endsWith('/json') || essence.endsWith('+json')) return 'json';
  if (essence === 'text/event-stream') return 'event-stream';
  if (essence === 'application/x-www-form-urlencoded') return 'form';
  if (essence.startsWith('text/') || TEXTS.has(essence) || /\+(?:xml|yaml)$/.test(essence)) return 'text';
  return 'binary';
}

/** Whether they say the same of a body. */
export function isSameMediaType(left: MediaType, right: MediaType): boolean {
  return left.essence === right.essence && left.parameters === right.parameters;
}
