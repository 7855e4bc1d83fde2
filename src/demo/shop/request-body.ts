/** Reads the JSON body of a request to a shop, within bounds. */
import type { IncomingMessage } from 'node:http';
import { ShopError } from './shop-error.ts';

export const BODY_BYTES_MAX = 65_536;

/** How much of a body that is too large is read away, so that a client that is still sending sees the answer. */
const DISCARD_BYTES_MAX = 1_048_576;

/**
 * @returns the parsed body, or `undefined` when it is empty.
 * @throws ShopError when it is over 64 KiB, not declared as JSON, or not JSON; the stream's own error when the
 *   client goes away.
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ShopError('unsupported_media_type', 'Send the body as content-type: application/json.');
  }
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return parsed;
  } catch (cause) {
    throw new ShopError('bad_request', 'The body is not valid JSON.', { cause });
  }
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_BYTES_MAX) chunks.push(chunk);
      else if (length > DISCARD_BYTES_MAX) {
        request.pause();
        reject(tooLarge({ connection: 'close' }));
      }
    });
    request.on('end', () => {
      if (length > BODY_BYTES_MAX) reject(tooLarge({}));
      else resolve(Buffer.concat(chunks, length));
    });
    request.on('error', reject);
  });
}

function tooLarge(headers: Readonly<Record<string, string>>): ShopError {
  return new ShopError('body_too_large', `A body may have ${BODY_BYTES_MAX} bytes.`, { headers });
}
