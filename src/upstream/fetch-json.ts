/** Fetches small JSON documents that the gateway itself needs, such as an issuer's keys. */

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ask, reasonOf } from './ask.ts';

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 1024 * 1024;
const REDIRECTS_MAX = 3;
const HEADERS = { accept: 'application/json, application/jwk-set+json', 'accept-encoding': 'gzip' };

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
    const answer = await ask(at, { method: 'GET', headers: HEADERS, signal });
    const { statusCode: status = 0 } = answer;
    if (status === 200) return await textOf(answer, bytesMax, signal);
    answer.destroy();
    const { location } = answer.headers;
    if (status < 300 || status > 399 || location === undefined) {
      throw new Error(`${at.host} answered ${status}`);
    }
    const next = new URL(location, at);
    if (next.protocol !== at.protocol) {
      throw new Error(`${at.host} redirects from ${at.protocol} to ${next.protocol}`);
    }
    at = next;
  }
  throw new Error(`${at.host} redirects more than ${REDIRECTS_MAX} times`);
}

/** Leaving the loop ends the connection. */
async function textOf(answer: IncomingMessage, bytesMax: number, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of decoded(answer)) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new Error(`the document is over ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw signal.aborted ? reasonOf(signal) : error;
  } finally {
    answer.destroy();
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

/** @throws Error a coding that was not asked for */
function decoded(answer: IncomingMessage): AsyncIterable<Buffer> {
  const coding = answer.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (coding === 'identity') return answer;
  if (coding !== 'gzip') throw new Error(`the document is coded in ${coding}, which was not asked for`);
  const gunzip = createGunzip();
  // Its error, and that of the answer, are whoever's who reads it.
  pipeline(answer, gunzip, () => undefined);
  return gunzip;
}
