/**
 * One look at all bytes of a document, for what the proof that nothing was lost has to know (`json-hazards.ts`). It
 * sees characters, not what they stand for: what it does not find is not there, what it finds has to be looked at.
 */
import { SCAN_PROGRAM } from './scan-program.ts';

export interface Hazards {
  /** Colons behind a byte of at most `"`: at least as many as the document has keys. */
  readonly keyMarks: number;
  /** There may be 16 digits or points in a row. */
  readonly hasLongDigits: boolean;
  /** There may be a digit with an exponent below zero. */
  readonly hasNegativeExponent: boolean;
}

/** What `SCAN_PROGRAM` exports. */
interface Program {
  readonly memory: { readonly buffer: ArrayBuffer };
  scan(length: number, end: number, tail: number): number;
}

/** The types of Node do not have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Program };
};

/** Bytes that are copied and looked at in one call: a multiple of 16, and small enough to stay in the cache. */
const CHUNK = 32_768;
/** Bytes behind a chunk that belong to a pattern which begins in it. */
const AHEAD = 2;

type Scan = (bytes: Uint8Array) => Hazards | undefined;

let scan: Scan = (bytes) => {
  scan = compileScan() ?? (() => undefined);
  return scan(bytes);
};

/** @returns `undefined` where there is no WebAssembly, or no vector unit: it is not known then */
export function scanHazards(bytes: Uint8Array): Hazards | undefined {
  return scan(bytes);
}

function compileScan(): Scan | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(SCAN_PROGRAM));
    const page = new Uint8Array(exports.memory.buffer);
    return (bytes) => scanChunks(bytes, page, exports);
  } catch {
    // Node was told to do without (`--jitless`), or has no address space left for a page of it.
    return undefined;
  }
}

function scanChunks(bytes: Uint8Array, page: Uint8Array, program: Program): Hazards {
  const { length } = bytes;
  let [keyMarks, tail, flags] = [0, 0, 0];
  for (let begin = 0; begin < length; begin += CHUNK) {
    const end = Math.min(begin + CHUNK, length);
    const copied = Math.min(end + AHEAD, length);
    page.set(copied - begin === length ? bytes : bytes.subarray(begin, copied));
    const found = program.scan(copied - begin, end - begin, tail);
    keyMarks += found >>> 7;
    tail = (found >>> 2) & 31;
    flags |= found;
  }
  return { keyMarks, hasLongDigits: (flags & 2) !== 0, hasNegativeExponent: (flags & 1) !== 0 };
}
