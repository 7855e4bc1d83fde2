/**
 * Bytes as text.
 */

const BINARY_LOOKED_AT = 1024;

/**
 * @param charset as in Content-Type; UTF-8 where none is given or it is not known
 * @returns `undefined` if the bytes are no text of that charset
 */
export function readText(bytes: Buffer, charset: string | undefined): string | undefined {
  const decoder = decoderOf(charset);
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function decoderOf(charset: string | undefined): TextDecoder {
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    try {
      return new TextDecoder(charset, { fatal: true });
    } catch {
      // A name that nobody knows: most of those who send one mean UTF-8.
    }
  }
  return new TextDecoder('utf-8', { fatal: true });
}

/** Without what says nothing to its reader: kinds of line ends, and how letters with accents are put together. */
export function normaliseText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').normalize('NFC');
}

/** Whether a body without a Content-Type looks like JSON, by its first character. */
export function looksLikeJson(bytes: Buffer): boolean {
  const first = bytes.subarray(0, BINARY_LOOKED_AT).find((byte) => byte > 0x20);
  return first === 0x7b || first === 0x5b;
}
