/** Takes replies of Redis apart; one of an unexpected shape is an error. */

export function list(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new TypeError(`Redis replied ${typeof reply} where a list was expected`);
  return reply;
}

export function bytes(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new TypeError(`Redis replied ${typeof reply} where bytes were expected`);
  return reply;
}

export function text(reply: unknown): string {
  return typeof reply === 'string' ? reply : bytes(reply).toString('utf8');
}

export function integer(reply: unknown): number {
  const number = typeof reply === 'number' ? reply : Number(text(reply));
  if (!Number.isSafeInteger(number))
    throw new TypeError(`Redis replied ${number} where an integer was expected`);
  return number;
}

/** A flat list of keys and values. */
export function pairs(reply: unknown): [Buffer, Buffer][] {
  const flat = list(reply);
  const result: [Buffer, Buffer][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([bytes(flat[i]), bytes(flat[i + 1])]);
  return result;
}
