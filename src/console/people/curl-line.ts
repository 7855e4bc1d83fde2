/** A curl line as the request that it would send. Nothing is sent, no file is read. Pure. */
import type { PastedRequest } from './pasted-request.ts';
import { shellWords } from './shell-words.ts';
import { targetOf } from './target-of.ts';

/** Short options that take a value, by what they are called when they are long. */
const SHORT: Readonly<Record<string, string>> = {
  A: 'user-agent',
  b: 'cookie',
  c: 'cookie-jar',
  C: 'continue-at',
  d: 'data',
  D: 'dump-header',
  e: 'referer',
  E: 'cert',
  F: 'form',
  H: 'header',
  K: 'config',
  m: 'max-time',
  o: 'output',
  Q: 'quote',
  r: 'range',
  T: 'upload-file',
  u: 'user',
  U: 'proxy-user',
  w: 'write-out',
  x: 'proxy',
  X: 'request',
  y: 'speed-time',
  Y: 'speed-limit',
  z: 'time-cond',
};
/** Short ones without a value that bear on the request. The others change nothing that is asked here. */
const SHORT_FLAGS: Readonly<Record<string, string>> = { G: 'get', I: 'head' };
/** Long ones that take a value and say nothing about where the request goes. */
const VALUED = new Set([
  ...Object.values(SHORT),
  'cacert',
  'capath',
  'ciphers',
  'connect-timeout',
  'connect-to',
  'data-ascii',
  'data-binary',
  'data-raw',
  'data-urlencode',
  'form-string',
  'interface',
  'json',
  'keepalive-time',
  'key',
  'limit-rate',
  'max-redirs',
  'noproxy',
  'oauth2-bearer',
  'proto',
  'resolve',
  'retry',
  'retry-delay',
  'retry-max-time',
  'tls-max',
  'unix-socket',
  'url',
  'url-query',
]);

interface Draft {
  method: string | undefined;
  url: string | undefined;
  readonly headers: [string, string][];
  readonly body: string[];
  readonly query: string[];
  readonly cookies: string[];
  readonly notes: string[];
  /** Headers that curl would add by itself and that the line forbids, lower case. */
  readonly removed: Set<string>;
  implied: 'GET' | 'POST' | 'PUT' | 'HEAD';
  bodyInQuery: boolean;
  pathAsIs: boolean;
}

/** @throws SyntaxError in words for whoever pasted it */
export function parseCurl(line: string): PastedRequest {
  const [, ...words] = shellWords(line);
  const draft: Draft = {
    method: undefined,
    url: undefined,
    headers: [],
    body: [],
    query: [],
    cookies: [],
    notes: [],
    removed: new Set(),
    implied: 'GET',
    bodyInQuery: false,
    pathAsIs: false,
  };
  for (const [name, value] of optionsOf(words)) applyOption(draft, name, value);
  return finished(draft);
}

type Option = readonly [name: string, value: string];

/** Every option by its long name; the address as `url`. */
function optionsOf(words: readonly string[]): Option[] {
  const options: Option[] = [];
  const left = [...words];
  const valueOf = (option: string): string => {
    const value = left.shift();
    if (value === undefined) throw new SyntaxError(`The option ${option} has no value.`);
    return value;
  };
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') options.push(...left.splice(0).map((url): Option => ['url', url]));
    else if (word.startsWith('--')) {
      const name = word.slice(2);
      options.push([name, VALUED.has(name) ? valueOf(word) : '']);
    } else if (word.startsWith('-') && word.length > 1) options.push(...shortOptions(word, valueOf));
    else options.push(['url', word]);
  }
  return options;
}

/** `-sSXPOST` is three of them. */
function shortOptions(word: string, valueOf: (option: string) => string): Option[] {
  const options: Option[] = [];
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const name = SHORT[letter];
    if (name !== undefined) {
      const rest = word.slice(at + 1);
      return [...options, [name, rest === '' ? valueOf(`-${letter}`) : rest]];
    }
    const flag = SHORT_FLAGS[letter];
    if (flag !== undefined) options.push([flag, '']);
  }
  return options;
}

function applyOption(draft: Draft, name: string, value: string): void {
  switch (name) {
    case 'url':
      if (draft.url === undefined) draft.url = value;
      else draft.notes.push(`One address at a time: ${value} was left out.`);
      return;
    case 'request':
      draft.method = value;
      return;
    case 'head':
      draft.implied = 'HEAD';
      return;
    case 'get':
      draft.bodyInQuery = true;
      return;
    case 'path-as-is':
      draft.pathAsIs = true;
      return;
    case 'upload-file':
      draft.implied = 'PUT';
      return;
    case 'url-query':
      draft.query.push(value);
      return;
    case 'header':
      applyHeader(draft, value);
      return;
    case 'cookie':
      if (value.includes('=')) draft.cookies.push(value);
      else draft.notes.push(`Cookies are in the file ${value}, which cannot be read here.`);
      return;
    case 'user-agent':
      draft.headers.push(['user-agent', value]);
      return;
    case 'referer':
      draft.headers.push(['referer', value]);
      return;
    case 'oauth2-bearer':
      draft.headers.push(['authorization', `Bearer ${value}`]);
      return;
    case 'user':
      draft.headers.push(['authorization', `Basic ${base64(value.includes(':') ? value : `${value}:`)}`]);
      return;
    case 'config':
      draft.notes.push(`Options are in the file ${value}, which cannot be read here.`);
      return;
    default:
      applyBody(draft, name, value);
  }
}

function applyBody(draft: Draft, name: string, value: string): void {
  switch (name) {
    case 'json':
      draft.headers.push(['content-type', 'application/json'], ['accept', 'application/json']);
      break;
    case 'form':
    case 'form-string':
      draft.headers.push(['content-type', 'multipart/form-data']);
      break;
    case 'data':
    case 'data-ascii':
    case 'data-binary':
    case 'data-raw':
      break;
    case 'data-urlencode':
      draft.body.push(urlEncoded(value));
      draft.implied = 'POST';
      return;
    default:
      return;
  }
  draft.body.push(value);
  draft.implied = 'POST';
}

function applyHeader(draft: Draft, value: string): void {
  if (value.startsWith('@')) {
    draft.notes.push(`Headers are in the file ${value.slice(1)}, which cannot be read here.`);
    return;
  }
  const [, name = '', sign, text = ''] = /^([^:;]+)([:;])(.*)$/su.exec(value) ?? [];
  const key = name.trim().toLowerCase();
  if (key === '') draft.notes.push(`“${value}” is no header and was left out.`);
  else if (sign === ':' && text.trim() === '') draft.removed.add(key);
  else draft.headers.push([key, text.trim()]);
}

function finished(draft: Draft): PastedRequest {
  const { url, body, cookies, notes, removed } = draft;
  if (url === undefined) throw new SyntaxError('The curl line has no address.');
  const query = [...draft.query, ...(draft.bodyInQuery ? body : [])];
  const { target, host } = targetOf(url);
  const added = query.length === 0 ? '' : `${target.includes('?') ? '&' : '?'}${query.join('&')}`;
  const headers = [...draft.headers];
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')]);
  const named = new Set([...removed, ...headers.map(([name]) => name)]);
  const hasBody = body.length > 0 && !draft.bodyInQuery;
  if (hasBody && !named.has('content-type')) {
    headers.push(['content-type', 'application/x-www-form-urlencoded']);
  }
  if (host !== undefined && !named.has('host')) headers.unshift(['host', host]);
  if (!draft.pathAsIs && /\/\.\.?(?:[/?]|$)/u.test(target)) {
    notes.push(
      'curl takes the dots out of a path before it sends it; here it is explained as it was written.',
    );
  }
  const implied = draft.bodyInQuery && draft.implied === 'POST' ? 'GET' : draft.implied;
  return {
    method: (draft.method ?? implied).toUpperCase(),
    target: `${target}${added}`,
    headers,
    notes: hasBody ? [...notes, 'The body was left out: it has no part in where a request goes.'] : notes,
  };
}

/** `name=value` with the value encoded, as curl does it; a file cannot be read here. */
function urlEncoded(value: string): string {
  const equals = value.indexOf('=');
  if (equals < 0) return encodeURIComponent(value);
  const name = value.slice(0, equals);
  const text = encodeURIComponent(value.slice(equals + 1));
  return name === '' ? text : `${name}=${text}`;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
