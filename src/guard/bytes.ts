/** Small numbers and texts as few bytes. What is read was perhaps written by another version: nothing is believed. */

/** Longer texts are cut when they are written; names are shorter. */
const TEXT_BYTES_MAX = 1_024;

export class ByteWriter {
  #bytes = new Uint8Array(512);
  #length = 0;

  /** A whole number from 0 to 2^53 - 1, in 7 bits a byte. */
  number(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8').subarray(0, TEXT_BYTES_MAX));
  }

  bytes(value: Uint8Array): this {
    this.number(value.length);
    for (const byte of value) this.#byte(byte);
    return this;
  }

  #byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** A view: nothing may be written after. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** @throws TypeError where the bytes end too early, or say what cannot be */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @param max what it may be at most */
  number(max = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > max) throw new TypeError(`a number is ${value}, at most ${max} was expected`);
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const utf8 = this.bytes(TEXT_BYTES_MAX);
    return Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length).toString('utf8');
  }

  /** A view. @param max how many there may be at most */
  bytes(max = Number.MAX_SAFE_INTEGER): Uint8Array {
    const end = this.number(max) + this.#at;
    if (end > this.#bytes.length) throw new TypeError('the bytes end too early');
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new TypeError('the bytes end too early');
    this.#at += 1;
    return byte;
  }
}
