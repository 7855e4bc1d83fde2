/** What somebody pasted to have it explained: a curl line, a request as it goes over the wire, or an address. Pure. */
import { parseCurl } from './curl-line.ts';
import { targetOf } from './target-of.ts';

export interface PastedRequest {
  /** Upper case. */
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What could not be taken over, one sentence each. */
  readonly notes: readonly string[];
}

const METHOD = /^[A-Z][A-Z-]*$/u;

/**
 * @param text a curl line; or `GET /path`, with or without `HTTP/1.1`, and headers in the lines after it; or an
 *   address or a path alone
 * @throws SyntaxError in words for whoever pasted it
 */
export function parsePasted(text: string): PastedRequest {
  const trimmed = text.trim().replace(/^\$\s+/u, '');
  if (trimmed === '') throw new SyntaxError('Nothing was pasted.');
  if (/^curl(\.exe)?\s/u.test(trimmed)) return parseCurl(trimmed);
  const [first = '', ...lines] = trimmed.split(/\r?\n/u);
  const words = first.trim().split(/\s+/u);
  const hasMethod = words.length > 1 && METHOD.test(words[0]?.toUpperCase() ?? '');
  const [method = 'GET', address = ''] = hasMethod ? words : ['GET', ...words];
  const { target, host } = targetOf(address);
  const { headers, notes } = headerLines(lines);
  const hasHost = headers.some(([name]) => name === 'host');
  return {
    method: method.toUpperCase(),
    target,
    headers: host === undefined || hasHost ? headers : [['host', host], ...headers],
    notes,
  };
}

function headerLines(lines: readonly string[]): Pick<PastedRequest, 'headers' | 'notes'> {
  const headers: [string, string][] = [];
  const notes: string[] = [];
  for (const [place, line] of lines.entries()) {
    if (line.trim() === '') {
      const hasBody = lines.slice(place).some((rest) => rest.trim() !== '');
      if (hasBody) notes.push('The body was left out: it has no part in where a request goes.');
      break;
    }
    const [, name, value = ''] = /^\s*([^\s:]+)\s*:(.*)$/u.exec(line) ?? [];
    if (name === undefined) notes.push(`“${line.trim()}” is no header and was left out.`);
    else headers.push([name.toLowerCase(), value.trim()]);
  }
  return { headers, notes };
}

/** The question that the API is asked. */
export function explainQuery({ method, target, headers }: PastedRequest, user: string): URLSearchParams {
  const query = new URLSearchParams({ method, path: target });
  if (user !== '') query.set('user', user);
  for (const [name, value] of headers) query.append(`header.${name}`, value);
  return query;
}
