/** Fetches small JSON documents that the gateway itself needs, such as an issuer's keys. */

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 1024 * 1024;
const REDIRECTS_MAX = 3;

export interface FetchJsonBounds {
  /** For everything: connect, redirects, body. */
  readonly timeoutMs?: number;
  /** After decompression. */
  readonly bytesMax?: number;
}

/**
 * The text of the document. Redirects are followed within one scheme, at most three: neither from https to
 * http, nor to anything that is not the web.
 * @throws Error when it cannot be had: no connection, another status than 200, over the time or the size
 */
export async function fetchJson(url: string, bounds: FetchJsonBounds = {}): Promise<string> {
  const { timeoutMs = TIMEOUT_MS, bytesMax = BYTES_MAX } = bounds;
  const signal = AbortSignal.timeout(timeoutMs);
  let at = new URL(url);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const response = await fetch(at, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json, application/jwk-set+json' },
    });
    if (response.status === 200) return await boundedText(response, bytesMax);
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) {
      throw new Error(`${at.host} answered ${response.status}`);
    }
    const next = new URL(location, at);
    if (next.protocol !== at.protocol) {
      throw new Error(`${at.host} redirects from ${at.protocol} to ${next.protocol}`);
    }
    at = next;
  }
  throw new Error(`${at.host} redirects more than ${REDIRECTS_MAX} times`);
}

async function boundedText(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new Error(`the document is over ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
