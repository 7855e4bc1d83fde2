/**
 * What both shops are filled with at their first start: the same people, products and orders, in neither
 * shop's own shape. Always the same, so that a comparison of the two shops means something.
 */
import { between, pick, seededRandom } from './seeded-random.ts';

export const SAMPLE_USERS = 300;

/** A user with more orders than this has "many". */
export const MANY_ORDERS = 20;

/** Order numbers are the user's number times this, plus the order's place among the user's orders from 1. */
export const ORDER_NUMBER_STEP = 100_000;

export const LANGUAGES = ['en', 'de', 'fr', 'es', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

export type OrderStatus = 'placed' | 'shipped' | 'cancelled';

export interface SampleAddress {
  readonly line1: string;
  /** Empty for most people. */
  readonly line2: string;
  readonly postalCode: string;
  readonly city: string;
  readonly country: string;
}

export interface SampleOrder {
  readonly number: number;
  /** At a full minute, because the legacy shop keeps no seconds. */
  readonly placedAt: Date;
  readonly status: OrderStatus;
  readonly discountPercent: number;
  readonly lines: readonly { readonly product: SampleProduct; readonly quantity: number }[];
}

export interface SampleUser {
  readonly number: number;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly address: SampleAddress;
  /** YYYY-MM-DD. */
  readonly birthDate: string;
  /** At a full minute. */
  readonly memberSince: Date;
  /** Taken off each order. */
  readonly loyaltyPercent: number;
  readonly newsletter: boolean;
  readonly sms: boolean;
  readonly language: Language;
  readonly orders: readonly SampleOrder[];
}

export interface SampleProduct {
  readonly number: number;
  readonly sku: string;
  readonly name: string;
  readonly category: string;
  readonly priceCents: number;
}

export interface SampleData {
  readonly users: readonly SampleUser[];
  readonly products: readonly SampleProduct[];
}

const FIRST_NAMES = (
  'Ada Ben Carla David Emma Farid Grace Henry Ines Jonas Kofi Lena ' +
  'Maya Nils Olga Priya Rosa Samir Tara Victor Zoë José Søren Łukasz'
).split(' ');
const LAST_NAMES = (
  'Okafor Brown Rossi Cohen Schmidt Haddad Hopper Jansen Costa Berg Mensah ' +
  'Fischer Rao Lind Petrova Nair Garcia Khan Novak Dubois Müller Nuñez'
).split(' ');
const STREETS = ['Mill Lane', 'Station Road', 'High Street', 'Quay Street', 'Park Avenue', 'Church Row'];
const SECOND_LINES = ['Flat 2', 'c/o Porter', '3rd floor', 'Rear building', 'Unit 14'];
const CITIES = [
  { city: 'Bremen', country: 'DE' },
  { city: 'Lyon', country: 'FR' },
  { city: 'Leeds', country: 'GB' },
  { city: 'Utrecht', country: 'NL' },
  { city: 'Porto', country: 'PT' },
] as const;
const ADJECTIVES = ['Small', 'Large', 'Folding', 'Enamel', 'Travel', 'Classic'];
const GOODS = [
  { noun: 'kettle', category: 'kitchen' },
  { noun: 'pan', category: 'kitchen' },
  { noun: 'lamp', category: 'lighting' },
  { noun: 'lantern', category: 'lighting' },
  { noun: 'chair', category: 'furniture' },
  { noun: 'table', category: 'furniture' },
  { noun: 'rucksack', category: 'travel' },
  { noun: 'blanket', category: 'home' },
  { noun: 'mug', category: 'kitchen' },
  { noun: 'clock', category: 'home' },
] as const;

const SEED = 20_261_121;
const FIRST_MEMBER = Date.UTC(2012, 0, 1);
const LAST_MEMBER = Date.UTC(2023, 11, 31);
const FIRST_ORDER = Date.UTC(2024, 0, 1);
const LAST_ORDER = Date.UTC(2026, 9, 31);
const MINUTE_MS = 60_000;

/** @returns 300 users `u-1` to `u-300` with their orders, and 60 products; the same at each call. */
export function sampleData(): SampleData {
  const products = sampleProducts(seededRandom(SEED));
  const users = Array.from({ length: SAMPLE_USERS }, (_, index) => sampleUser(index + 1, products));
  return { users, products };
}

function sampleProducts(random: () => number): SampleProduct[] {
  return GOODS.flatMap(({ noun, category }, good) =>
    ADJECTIVES.map((adjective, variant) => {
      const number = good * ADJECTIVES.length + variant + 1;
      return {
        number,
        sku: `${noun.slice(0, 3).toUpperCase()}-${String(number).padStart(4, '0')}`,
        name: `${adjective} ${noun}`,
        category,
        priceCents: between(random, 395, 14_995),
      };
    }),
  );
}

function sampleUser(number: number, products: readonly SampleProduct[]): SampleUser {
  // One generator for each user: a later change to one person's data leaves the others as they are.
  const random = seededRandom(SEED + number * 7919);
  const place = pick(random, CITIES);
  const name = `${pick(random, FIRST_NAMES)} ${pick(random, LAST_NAMES)}`;
  const loyaltyPercent = pick(random, [0, 3, 5, 7]);
  return {
    number,
    name,
    email: `user${number}@shop.example`,
    phone: `+44 20 7946 ${String(between(random, 0, 999)).padStart(4, '0')}`,
    address: {
      line1: `${between(random, 1, 180)} ${pick(random, STREETS)}`,
      line2: random() < 0.35 ? pick(random, SECOND_LINES) : '',
      postalCode: String(between(random, 10_000, 99_999)),
      city: place.city,
      country: place.country,
    },
    birthDate: new Date(Date.UTC(between(random, 1945, 2007), between(random, 0, 11), between(random, 1, 28)))
      .toISOString()
      .slice(0, 10),
    memberSince: minuteBetween(random, FIRST_MEMBER, LAST_MEMBER),
    loyaltyPercent,
    newsletter: random() < 0.5,
    sms: random() < 0.2,
    language: pick(random, LANGUAGES),
    orders: sampleOrders(random, number, loyaltyPercent, products),
  };
}

function sampleOrders(
  random: () => number,
  user: number,
  discountPercent: number,
  products: readonly SampleProduct[],
): SampleOrder[] {
  const count = user % 7 === 0 ? between(random, MANY_ORDERS + 5, MANY_ORDERS + 20) : between(random, 1, 8);
  const dates = Array.from({ length: count }, () => minuteBetween(random, FIRST_ORDER, LAST_ORDER));
  dates.sort((a, b) => a.getTime() - b.getTime());
  return dates.map((placedAt, index) => ({
    number: user * ORDER_NUMBER_STEP + index + 1,
    placedAt,
    status: index === count - 1 ? 'placed' : random() < 0.95 ? 'shipped' : 'cancelled',
    discountPercent,
    lines: sampleLines(random, products),
  }));
}

/** One to four lines, a product at most once in an order. */
function sampleLines(random: () => number, products: readonly SampleProduct[]): SampleOrder['lines'] {
  const lines = new Map<number, { product: SampleProduct; quantity: number }>();
  const wanted = between(random, 1, 4);
  for (let line = 0; line < wanted; line += 1) {
    const product = pick(random, products);
    lines.set(product.number, { product, quantity: between(random, 1, 3) });
  }
  return [...lines.values()];
}

function minuteBetween(random: () => number, from: number, to: number): Date {
  return new Date(from + Math.floor((random() * (to - from)) / MINUTE_MS) * MINUTE_MS);
}
