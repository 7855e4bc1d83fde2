/**
 * What clients send. The rewrite kept the request bodies of the old shop, because a client cannot know which
 * of the two will answer; so both shops check them here. Only the answers differ.
 */
import { LANGUAGES, type Language } from './sample-data.ts';
import { ShopError } from './shop-error.ts';

export interface ProfileInput {
  readonly userName: string;
  readonly email: string;
  readonly phone: string;
  readonly addr1: string;
  readonly addr2: string;
  readonly zip: string;
  readonly city: string;
  readonly country: string;
}

export interface PreferencesInput {
  readonly newsletter: boolean;
  readonly sms: boolean;
  readonly language: Language;
}

export interface OrderInput {
  readonly items: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface SearchInput {
  readonly q: string;
  /** In whole currency units and cents, such as 19.95. */
  readonly maxPrice: number | undefined;
}

const TEXT_MAX = 200;
const ITEMS_MAX = 20;
const QUANTITY_MAX = 99;
const REQUIRED_PROFILE = ['userName', 'email', 'addr1', 'zip', 'city', 'country'] as const;
const OPTIONAL_PROFILE = ['phone', 'addr2'] as const;
const PROFILE_FIELDS = [...REQUIRED_PROFILE, ...OPTIONAL_PROFILE];
const PREFERENCE_FIELDS = ['newsletter', 'sms', 'language'];

/** A whole profile: what is missing and optional is empty. @throws ShopError naming the field that is wrong. */
export function fullProfile(body: unknown): ProfileInput {
  const given = profileChanges(body);
  for (const field of REQUIRED_PROFILE) {
    if ((given[field] ?? '') === '') throw bad(`"${field}" is missing.`);
  }
  const text = (field: keyof ProfileInput): string => given[field] ?? '';
  return {
    userName: text('userName'),
    email: text('email'),
    phone: text('phone'),
    addr1: text('addr1'),
    addr2: text('addr2'),
    zip: text('zip'),
    city: text('city'),
    country: text('country'),
  };
}

/** The fields of a profile to change. @throws ShopError naming the field that is wrong. */
export function profileChanges(body: unknown): Partial<ProfileInput> {
  const fields = objectOf(body, PROFILE_FIELDS);
  const changes: { -readonly [K in keyof ProfileInput]?: string } = {};
  for (const field of PROFILE_FIELDS) {
    const value = fields.get(field);
    if (value === undefined) continue;
    if (typeof value !== 'string' || value.length > TEXT_MAX) {
      throw bad(`"${field}" has to be a text of at most ${TEXT_MAX} characters.`);
    }
    if (value.trim() === '' && REQUIRED_PROFILE.some((required) => required === field)) {
      throw bad(`"${field}" may not be empty.`);
    }
    changes[field] = value;
  }
  if (changes.email !== undefined && !/^[^@\s]+@[^@\s]+$/.test(changes.email)) {
    throw bad('"email" is no e-mail address.');
  }
  return changes;
}

/** All preferences. @throws ShopError naming the field that is wrong. */
export function fullPreferences(body: unknown): PreferencesInput {
  const { newsletter, sms, language } = preferenceChanges(body);
  if (newsletter === undefined || sms === undefined || language === undefined) {
    throw bad('"newsletter", "sms" and "language" are needed; PATCH takes some of them.');
  }
  return { newsletter, sms, language };
}

/** The preferences to change. @throws ShopError naming the field that is wrong. */
export function preferenceChanges(body: unknown): Partial<PreferencesInput> {
  const fields = objectOf(body, PREFERENCE_FIELDS);
  const language = fields.get('language');
  const known = LANGUAGES.find((candidate) => candidate === language);
  if (language !== undefined && known === undefined) {
    throw bad(`"language" has to be one of ${LANGUAGES.join(', ')}.`);
  }
  return {
    ...optionalFlag(fields, 'newsletter'),
    ...optionalFlag(fields, 'sms'),
    ...(known === undefined ? {} : { language: known }),
  };
}

/** A new order of 1 to 20 items. @throws ShopError saying what is wrong. */
export function orderInput(body: unknown): OrderInput {
  const items = objectOf(body, ['items']).get('items');
  if (!Array.isArray(items) || items.length === 0 || items.length > ITEMS_MAX) {
    throw bad(`"items" has to be a list of 1 to ${ITEMS_MAX} of {"sku", "quantity"}.`);
  }
  const seen = new Set<string>();
  return {
    items: items.map((item: unknown, index) => {
      const fields = objectOf(item, ['sku', 'quantity']);
      const sku = fields.get('sku');
      const quantity = fields.get('quantity');
      if (typeof sku !== 'string') throw bad(`"items[${index}].sku" has to be a text.`);
      if (seen.has(sku)) throw bad(`"${sku}" is listed twice; raise its quantity instead.`);
      seen.add(sku);
      if (typeof quantity !== 'number' || !Number.isInteger(quantity)) {
        throw bad(`"items[${index}].quantity" has to be a whole number.`);
      }
      if (quantity < 1 || quantity > QUANTITY_MAX) {
        throw bad(`"items[${index}].quantity" has to be 1 to ${QUANTITY_MAX}.`);
      }
      return { sku, quantity };
    }),
  };
}

/** A search given as JSON. @throws ShopError saying what is wrong. */
export function searchBody(body: unknown): SearchInput {
  const fields = objectOf(body, ['q', 'maxPrice']);
  return checkedSearch(fields.get('q'), fields.get('maxPrice'));
}

/** A search given in the query. @throws ShopError saying what is wrong. */
export function searchQuery(query: URLSearchParams): SearchInput {
  const price = query.get('maxPrice');
  return checkedSearch(query.get('q') ?? undefined, price === null ? undefined : Number(price));
}

/** The number of an order, from a path. @throws ShopError `not_found`: no order has such a number. */
export function orderNumber(text: string | undefined): number {
  if (text === undefined || !/^\d{1,12}$/.test(text)) throw new ShopError('not_found', 'No such order.');
  return Number(text);
}

function checkedSearch(q: unknown, maxPrice: unknown): SearchInput {
  if (typeof q !== 'string' || q.trim() === '' || q.length > TEXT_MAX) {
    throw bad(`"q" has to be a text of 1 to ${TEXT_MAX} characters.`);
  }
  if (maxPrice === undefined) return { q: q.trim(), maxPrice: undefined };
  if (typeof maxPrice !== 'number' || !(maxPrice >= 0)) throw bad('"maxPrice" has to be a number from 0.');
  return { q: q.trim(), maxPrice };
}

function optionalFlag(
  fields: ReadonlyMap<string, unknown>,
  name: 'newsletter' | 'sms',
): Partial<PreferencesInput> {
  const value = fields.get(name);
  if (value === undefined) return {};
  if (typeof value !== 'boolean') throw bad(`"${name}" has to be true or false.`);
  return { [name]: value };
}

function objectOf(body: unknown, known: readonly string[]): ReadonlyMap<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw bad(`A JSON object with ${known.join(', ')} is needed.`);
  }
  const fields = new Map<string, unknown>(Object.entries(body));
  for (const name of fields.keys()) {
    if (!known.includes(name)) throw bad(`"${name}" is not known here; known: ${known.join(', ')}.`);
  }
  return fields;
}

function bad(message: string): ShopError {
  return new ShopError('bad_request', message);
}
