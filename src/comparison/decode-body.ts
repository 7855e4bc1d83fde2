/**
 * Undoes Content-Encoding, within a bound on what comes out.
 *
 * Synchronously: the comparison as a whole then is one pure call, which can be made on a worker thread as it is, and
 * the bound keeps the pause as short as that of the parsing behind it (1 MiB inflates in less time than JSON.parse
 * needs for it). The asynchronous functions would cost a job of the thread pool and copies for each body.
 */
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

export type DecodedBody =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unknown-encoding' };

/** More encodings on top of each other than this are somebody's joke. */
const ENCODINGS_MAX = 4;

type Decode = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

/** By RFC 9110 `deflate` has the zlib format; some servers send the bare stream. */
const inflateEither: Decode = (bytes, options) => {
  // The first byte of the zlib format: method 8 in the low half, and a header that is a multiple of 31.
  const isZlib = ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;
  return isZlib ? inflateSync(bytes, options) : inflateRawSync(bytes, options);
};

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateEither,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/** @returns the encodings in the order in which they were applied, in lower case, without `identity` */
export function encodingsOf(headerValues: readonly string[]): readonly string[] {
  if (headerValues.length === 0) return headerValues;
  return headerValues
    .join(',')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}

/**
 * @param encodings in the order in which they were applied
 * @param bytesMax of the result, and of each step on the way to it
 */
export function decodeBody(body: Buffer, encodings: readonly string[], bytesMax: number): DecodedBody {
  if (encodings.length === 0 && body.length <= bytesMax) return { kind: 'decoded', bytes: body };
  if (encodings.length > ENCODINGS_MAX) return { kind: 'unknown-encoding' };
  let bytes = body;
  for (const name of encodings.toReversed()) {
    const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
    if (decode === undefined) return { kind: 'unknown-encoding' };
    // A HEAD answer, a 304: the header without anything to decode.
    if (bytes.length === 0) break;
    try {
      bytes = decode(bytes, { maxOutputLength: bytesMax });
    } catch (error) {
      return { kind: isTooLarge(error) ? 'too-large' : 'corrupt' };
    }
  }
  return bytes.length > bytesMax ? { kind: 'too-large' } : { kind: 'decoded', bytes };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
