/**
 * The headers of an HTTP/2 request as HTTP/1.1 would have carried them: no pseudo headers, `:authority` as
 * Host, and the crumbs of a cookie in one piece (RFC 9113, 8.2.3 and 8.3.1).
 *
 * @param raw name, value, name, value … in lower case, as HTTP/2 has them
 */
export function http1Headers(raw: readonly string[]): string[] {
  const headers: string[] = [];
  let authority: string | undefined;
  let cookieAt = -1;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const value = raw[i + 1] ?? '';
    if (name.startsWith(':')) {
      if (name === ':authority') authority = value;
      continue;
    }
    if (name === 'cookie') {
      if (cookieAt >= 0) {
        headers[cookieAt] = `${headers[cookieAt]}; ${value}`;
        continue;
      }
      cookieAt = headers.length + 1;
    }
    // The same as the authority it is redundant; another one stays, and is refused as a second Host.
    if (name === 'host' && value === authority) continue;
    headers.push(name, value);
  }
  if (authority !== undefined) headers.unshift('host', authority);
  return headers;
}
