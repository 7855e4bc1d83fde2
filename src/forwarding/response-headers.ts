import { HeaderKind, headerKind, headerName, listMembers } from '../intake/header-names.ts';

/** The head of a backend's answer as it goes to the client. */
export interface ResponseHead {
  /** End-to-end headers in the backend's order and case (name, value, name, value …). */
  readonly headers: string[];
  /** Bytes, when the backend said how many. */
  readonly contentLength: number | undefined;
}

/**
 * Reads the raw headers of an answer and leaves out what speaks of the connection to the backend only.
 *
 * @param raw name, value, name, value …, latin1
 */
export function responseHead(raw: readonly string[]): ResponseHead {
  const headers: string[] = [];
  let named: string[] | undefined;
  let contentLength: number | undefined;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const kind = headerKind(name);
    if (kind === HeaderKind.endToEnd) {
      headers.push(name, raw[i + 1] ?? '');
      continue;
    }
    switch (kind) {
      case HeaderKind.connection: {
        const value = raw[i + 1] ?? '';
        if (value !== 'keep-alive' && value !== 'close') (named ??= []).push(...listMembers(value));
        break;
      }
      case HeaderKind.hopByHop:
      case HeaderKind.transferEncoding:
      case HeaderKind.upgrade:
      case HeaderKind.te:
        break;
      case HeaderKind.contentLength: {
        const value = raw[i + 1] ?? '';
        contentLength = Number(value);
        headers.push(name, value);
        break;
      }
      default:
        headers.push(name, raw[i + 1] ?? '');
    }
  }
  return { headers: named === undefined ? headers : without(headers, named), contentLength };
}

function without(headers: readonly string[], named: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (!named.includes(headerName(name).lower)) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
