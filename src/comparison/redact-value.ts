/**
 * What of a value may be stored: of secrets and personal data only the type, the length and a keyed hash, by which
 * equal and unequal can still be told.
 */
import { createHmac } from 'node:crypto';
import { canonical } from './canonical.ts';
import type { ShownType, ShownValue } from './difference.ts';
import { ExactNumber } from './exact-number.ts';
import { isArray, isObject, type Json, setMember, typeOf } from './json-tree.ts';

export interface RedactionPolicy {
  /** Of the HMAC. Whoever has it can try out values; without it nobody can. */
  readonly key: Buffer | string;
  /** Matched against each name in a path, in any case, with `_` and `-` left out. */
  readonly names: readonly RegExp[];
  /** Shows no value at all, whatever its name. */
  readonly everything?: boolean;
}

/** Names that look secret or personal. Wide on purpose: a hidden value costs less than one that leaks. */
export const DEFAULT_REDACTED_NAMES: readonly RegExp[] = Object.freeze([
  /pass(?:word|phrase|code|wd)|^pass$|^pwd$/,
  /secret|token|apikey|privatekey|accesskey|credential|^auth$|authorization|authentication/,
  /cookie|session|signature|^sid$|^jwt$|^otp$|^pin$|^nonce$/,
  /mail|phone|mobile|^tel$|^fax$/,
  /ssn|socialsecurity|taxid|taxnumber|^vat|passport|driverlicen[cs]e|nationalid|iban|^bic$|swift/,
  /card(?:number|holder)|^card$|creditcard|^pan$|cvv|cvc|account(?:number|no)|routingnumber|sortcode/,
  /^(?:(?:first|last|middle|sur|full|given|family|maiden|display|user|nick|screen|customer|contact|billing|shipping|recipient|holder|owner|legal)names?|names?)$/,
  /address|street|postcode|postalcode|^zip(?:code)?$|^city$|latitude|longitude|^lat$|^lng$|^lon$|^geo/,
  /birth|^dob$|gender|^sex$|religion|ethnic|nationality|diagnos|health|medical/,
  /^ip$|ipaddress|remoteaddr|useragent|deviceid|fingerprint/,
  /^salary$|^income$/,
]);

/** What stands in the place of a value. */
export interface Redacted {
  readonly redacted: ShownType;
  /** Characters of a text or a number, items of an array, members of an object. */
  readonly length: number;
  /** The first 96 bits of the HMAC-SHA-256 of the value, in base64url; equal values have equal hashes. */
  readonly hash: string;
}

const HASH_CHARACTERS = 16;

/**
 * Redacts what stands at a path: all of it if a name on the way says so, else the members whose own names do.
 * @param shown as it stands in a difference
 * @param path such as `$.user.email`, `header.set-cookie`
 */
export function redactShown(shown: ShownValue, path: string, policy: RedactionPolicy): ShownValue {
  if (shown.type === 'absent') return shown;
  const value = redactValue(shown.value, path, policy);
  return value === shown.value ? shown : Object.freeze({ type: shown.type, value });
}

/**
 * The same for any value; `undefined`, functions and what else no JSON has become null.
 * @returns the value itself where nothing had to be hidden
 */
export function redactValue(value: unknown, path: string, policy: RedactionPolicy): unknown {
  const json = asJson(value);
  if (policy.everything === true || namesIn(path).some((name) => isRedacted(name, policy))) {
    return redacted(json, policy);
  }
  const result = redactMembers(json, policy);
  return result === json && json === value ? value : result;
}

/** What a difference or a sample carries is JSON already; anything else is not let through. */
function asJson(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(asJson);
  if (value instanceof ExactNumber) return value.text;
  if (typeof value !== 'object') return null;
  const object: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value)) setMember(object, key, asJson(inner));
  return object;
}

function redactMembers(value: Json, policy: RedactionPolicy): Json {
  if (isArray(value)) return value.map((item) => redactMembers(item, policy));
  if (!isObject(value)) return value;
  const object: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value)) {
    const hides = isRedacted(key, policy);
    setMember(object, key, hides ? asJson(redacted(inner, policy)) : redactMembers(inner, policy));
  }
  return object;
}

function redacted(value: Json, { key }: RedactionPolicy): Redacted {
  const hash = createHmac('sha256', key)
    .update(canonical(value))
    .digest('base64url')
    .slice(0, HASH_CHARACTERS);
  return Object.freeze({ redacted: typeOf(value), length: lengthOf(value), hash });
}

function lengthOf(value: Json): number {
  if (isArray(value)) return value.length;
  return isObject(value)
    ? Object.keys(value).length
    : typeof value === 'string'
      ? value.length
      : canonical(value).length;
}

function isRedacted(name: string, { names }: RedactionPolicy): boolean {
  const plain = name.toLowerCase().replaceAll(/[_\-\s]/g, '');
  return names.some((pattern) => pattern.test(plain));
}

const NAME_IN_PATH = /\['((?:[^'\\]|\\.)*)'\]|([^.[\]$]+)/g;

/** The names in a path; indexes are none. */
function namesIn(path: string): string[] {
  return [...path.matchAll(NAME_IN_PATH)]
    .map(([, quoted, plain]) => quoted ?? plain ?? '')
    .filter((name) => !/^\d+$/.test(name));
}
