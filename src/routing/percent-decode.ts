/**
 * Percent-decoding of text as it came over the wire: a string in which every character is one byte
 * ("latin1"), as Node hands out request targets and header values.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The value of a hexadecimal digit's character code, or -1. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The byte that `%XX` at `index` stands for, or -1 where it is not two hexadecimal digits. */
function escapedByte(text: string, index: number): number {
  if (index + 2 >= text.length) return -1;
  const high = hexValue(text.charCodeAt(index + 1));
  const low = hexValue(text.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Decodes each `%XX` once, into a character for a byte. What is not a valid escape stays as it is. */
export function percentDecodeBytes(text: string): string {
  let at = text.indexOf('%');
  if (at < 0) return text;
  let decoded = '';
  let copied = 0;
  while (at >= 0) {
    const byte = escapedByte(text, at);
    if (byte >= 0) {
      decoded += text.slice(copied, at) + String.fromCharCode(byte);
      copied = at + 3;
    }
    at = text.indexOf('%', byte >= 0 ? at + 3 : at + 1);
  }
  return decoded + text.slice(copied);
}

/** Whether every `%` begins a valid escape. */
function isPercentValid(text: string): boolean {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 3)) {
    if (escapedByte(text, at) < 0) return false;
  }
  return true;
}

/** The text that the bytes spell in UTF-8; `undefined` if they do not. ASCII is given back as it is. */
export function utf8OfBytes(bytes: string): string | undefined {
  let i = 0;
  while (i < bytes.length && bytes.charCodeAt(i) < 0x80) i += 1;
  if (i === bytes.length) return bytes;
  for (; i < bytes.length; i += 1) if (bytes.charCodeAt(i) > 0xff) return undefined;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Percent-decodes as UTF-8; `undefined` where an escape is broken or the bytes are not UTF-8. */
export function percentDecodeUtf8(text: string): string | undefined {
  return isPercentValid(text) ? utf8OfBytes(percentDecodeBytes(text)) : undefined;
}
