/**
 * A user record as bytes, three for a user placed by a rule.
 *
 *     byte 0   format, 1; 2 for one that a rule has placed and that the record perhaps does not have yet
 *     byte 1   bits 0-1 state: none, migrating, migrated, failed
 *              bits 2-3 pin: none, legacy, new
 *              bits 4-5 membership: none, explicit with ordinal, rule, explicit without ordinal
 *              bit 6    a new id follows
 *              bit 7    a version follows
 *     then     cohort number, ordinal, version, new id: each only if byte 1 says so
 *
 * Numbers are LEB128, up to 2^53 - 1. A new id is its length and its UTF-8, or 0 and 16 bytes for a UUID.
 * One record has one encoding, so that stored bytes can be compared. Bytes that are not exactly one record of
 * a known format are an error: a reader that took them for an absent record would send a user to the wrong
 * backend.
 */
import { ABSENT_RECORD, type Backend, type Membership, type UserRecord, type UserState } from '../model.ts';
import { NEW_ID_BYTES_MAX } from './user-limits.ts';
import { packUuid, UUID_BYTES, unpackUuid } from './uuid.ts';
import { ABSENT, type Versioned } from './versioned.ts';

/** Cohorts by number, as the records name them. */
export interface CohortNumbers {
  numberOf(name: string): number | undefined;
  nameOf(number: number): string | undefined;
}

export class RecordCodecError extends Error {
  override name = 'RecordCodecError';
}

/** The bytes are fine, the cohort they name is not known here: perhaps not yet. */
export class UnknownCohortError extends RecordCodecError {
  override name = 'UnknownCohortError';
}

const FORMAT = 1;
const TENTATIVE_FORMAT = 2;
const STATES: readonly (UserState | undefined)[] = [undefined, 'migrating', 'migrated', 'failed'];
const PINS: readonly (Backend | undefined)[] = [undefined, 'legacy', 'new'];
const EXPLICIT = 1;
const RULE = 2;
const EXPLICIT_UNORDERED = 3;
const HAS_NEW_ID = 0x40;
const HAS_VERSION = 0x80;

function membershipKind(membership: Membership | undefined): number {
  if (membership === undefined) return 0;
  if (membership.by === 'rule') return RULE;
  return membership.ordinal === undefined ? EXPLICIT_UNORDERED : EXPLICIT;
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/**
 * @param record within the bounds of `assertRecord`
 * @throws RangeError when the record names a cohort that has no number
 */
export function encodeRecord({ record, version }: Versioned, cohorts: CohortNumbers): Buffer {
  const { state, pin, membership, newId } = record;
  const kind = membershipKind(membership);
  const bytes = [
    FORMAT,
    STATES.indexOf(state) |
      (PINS.indexOf(pin) << 2) |
      (kind << 4) |
      (newId === undefined ? 0 : HAS_NEW_ID) |
      (version === 0 ? 0 : HAS_VERSION),
  ];
  if (membership !== undefined) {
    const number = cohorts.numberOf(membership.cohort);
    if (number === undefined) throw new RangeError(`there is no cohort ${membership.cohort}`);
    pushNumber(bytes, number);
    if (kind === EXPLICIT) pushNumber(bytes, membership.ordinal ?? 0);
  }
  if (version !== 0) pushNumber(bytes, version);
  if (newId === undefined) return Buffer.from(bytes);
  const uuid = packUuid(newId);
  const text = uuid ?? Buffer.from(newId, 'utf8');
  pushNumber(bytes, uuid === undefined ? text.length : 0);
  return Buffer.concat([Buffer.from(bytes), text]);
}

/** The bytes of a placement that the record perhaps does not have yet: nobody may act on it. */
export function tentative(bytes: Buffer): Buffer {
  return inFormat(TENTATIVE_FORMAT, bytes);
}

/** The bytes of a placement that the record has. */
export function certain(bytes: Buffer): Buffer {
  return inFormat(FORMAT, bytes);
}

export function isTentative(bytes: Buffer): boolean {
  return bytes[0] === TENTATIVE_FORMAT;
}

function inFormat(format: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = format;
  return copy;
}

/** Reads a record's bytes from front to back. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  fail(why: string): RecordCodecError {
    return new RecordCodecError(`user record ${this.#bytes.toString('hex')}: ${why} at byte ${this.#at}`);
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw this.fail('it ends too early');
    this.#at++;
    return value;
  }

  number(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (!Number.isSafeInteger(value)) throw this.fail('a number is over 2^53');
      if (byte < 0x80) {
        if (byte === 0 && unit > 1) throw this.fail('a number is longer than it has to be');
        return value;
      }
      unit *= 0x80;
    }
  }

  bytes(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw this.fail('it ends too early');
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.fail('more bytes than a record has');
  }
}

function readNewId(reader: Reader): string {
  const length = reader.number();
  if (length === 0) return unpackUuid(reader.bytes(UUID_BYTES));
  if (length > NEW_ID_BYTES_MAX) throw reader.fail('the new id is too long');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.bytes(length));
  } catch (cause) {
    if (cause instanceof RecordCodecError) throw cause;
    throw reader.fail('the new id is not UTF-8');
  }
}

function readMembership(reader: Reader, kind: number, cohorts: CohortNumbers): Membership | undefined {
  if (kind === 0) return undefined;
  const number = reader.number();
  const ordinal = kind === EXPLICIT ? reader.number() : undefined;
  const cohort = cohorts.nameOf(number);
  if (cohort === undefined) throw new UnknownCohortError(`a user record names cohort number ${number}`);
  return { cohort, ordinal, by: kind === RULE ? 'rule' : 'explicit' };
}

/**
 * Records of this many bytes at the most are users who were only placed. There are few different ones, and millions
 * of users: those with the same bytes share one object, which a cache holds for the price of its key.
 */
const SHARED_BYTES_MAX = 4;
const shared = new WeakMap<CohortNumbers, Map<number, Versioned>>();

/**
 * The record may be shared with other users: it is not to be changed.
 *
 * @throws RecordCodecError for bytes that are not exactly one record of a known format
 * @throws UnknownCohortError for a record of a cohort that `cohorts` does not have
 */
export function decodeRecord(bytes: Buffer, cohorts: CohortNumbers): Versioned {
  if (bytes.length === 0 || bytes.length > SHARED_BYTES_MAX) return decodeAnew(bytes, cohorts);
  let known = shared.get(cohorts);
  if (known === undefined) {
    known = new Map();
    shared.set(cohorts, known);
  }
  const key = bytes.readUIntBE(0, bytes.length);
  const found = known.get(key);
  if (found !== undefined) return found;
  const decoded = decodeAnew(bytes, cohorts);
  // A record with a version or an ordinal is one user's own.
  if (decoded.version === 0 && decoded.record.membership?.ordinal === undefined) known.set(key, decoded);
  return decoded;
}

function decodeAnew(bytes: Buffer, cohorts: CohortNumbers): Versioned {
  const reader = new Reader(bytes);
  const format = reader.byte();
  if (format !== FORMAT && format !== TENTATIVE_FORMAT) {
    const known = `${FORMAT} and ${TENTATIVE_FORMAT}`;
    throw reader.fail(`format ${format} is not one this version of Turnout reads (${known})`);
  }
  const flags = reader.byte();
  if (format === TENTATIVE_FORMAT && ((flags >> 4) & 3) !== RULE) throw reader.fail('no rule placed it');
  const pinKind = (flags >> 2) & 3;
  if (pinKind >= PINS.length) throw reader.fail('an unknown pin');
  const membership = readMembership(reader, (flags >> 4) & 3, cohorts);
  const version = flags & HAS_VERSION ? reader.number() : 0;
  if (flags & HAS_VERSION && version === 0) throw reader.fail('a version of 0 is written');
  const newId = flags & HAS_NEW_ID ? readNewId(reader) : undefined;
  reader.end();
  const record: UserRecord = { state: STATES[flags & 3], pin: PINS[pinKind], membership, newId };
  // Most users have nothing but perhaps a version: they share one object.
  const isEmpty = (flags & (0x3f | HAS_NEW_ID)) === 0;
  if (isEmpty) return version === 0 ? ABSENT : { record: ABSENT_RECORD, version };
  return { record, version };
}
