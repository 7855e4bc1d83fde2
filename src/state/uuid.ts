const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const UUID_BYTES = 16;

/** The 16 bytes of a UUID as RFC 9562 writes it, in lower case; `undefined` for any other text. */
export function packUuid(text: string): Buffer | undefined {
  if (text.length !== 36 || !CANONICAL.test(text)) return undefined;
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}

/** @param bytes 16 of them */
export function unpackUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
