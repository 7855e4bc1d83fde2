/** The documented mapping of `docs/demo.md`: what a legacy answer says in the words of the rewrite. */
import { uuidFor } from '../../src/demo/new/new-ids.ts';
import { at, list } from './with-shop.ts';

const STATUS = new Map<unknown, string>([
  ['N', 'placed'],
  ['S', 'shipped'],
  ['X', 'cancelled'],
]);

export function mappedProfile(legacy: unknown): unknown {
  const key = `u-${text(legacy, 'userId')}`;
  const line2 = at(legacy, 'addr2');
  return {
    user: {
      id: uuidFor(`user/${key}`),
      key,
      name: at(legacy, 'userName'),
      email: at(legacy, 'email'),
      phone: at(legacy, 'phone'),
      birthDate: isoDay(text(legacy, 'birthDate')),
      memberSince: isoTime(text(legacy, 'memberSince')),
      loyalty: { percent: at(legacy, 'loyaltyPct') },
    },
    address: {
      line1: at(legacy, 'addr1'),
      ...(line2 === '' ? {} : { line2 }),
      postalCode: at(legacy, 'zip'),
      city: at(legacy, 'city'),
      country: at(legacy, 'country'),
    },
    preferences: mappedPreferences(legacy),
  };
}

/** Without `updatedAt`: the legacy shop keeps the day only. */
export function mappedPreferences(legacy: unknown): unknown {
  return {
    newsletter: at(legacy, 'pref_newsletter') === 'Y',
    sms: at(legacy, 'pref_sms') === 'Y',
    language: text(legacy, 'pref_lang').toLowerCase(),
  };
}

export function mappedOrder(legacy: unknown): unknown {
  const number = text(legacy, 'orderNo');
  return {
    id: uuidFor(`order/${number}`),
    number: Number(number),
    placedAt: isoTime(text(legacy, 'orderDate')),
    status: STATUS.get(at(legacy, 'status')),
    customer: { id: uuidFor(`user/u-${text(legacy, 'custNo')}`) },
    discountPercent: at(legacy, 'discPct'),
    items: list(legacy, 'items').map((item) => ({
      sku: at(item, 'sku'),
      name: at(item, 'descr'),
      quantity: at(item, 'qty'),
      unitPrice: { amount: at(item, 'price'), currency: 'EUR' },
    })),
    total: { amount: at(legacy, 'total'), currency: at(legacy, 'curr') },
  };
}

export function mappedProduct(legacy: unknown): unknown {
  return {
    id: uuidFor(`product/${text(legacy, 'sku')}`),
    sku: at(legacy, 'sku'),
    name: at(legacy, 'descr'),
    category: { slug: at(legacy, 'cat') },
    price: { amount: at(legacy, 'price'), currency: 'EUR' },
  };
}

function text(body: unknown, path: string): string {
  return String(at(body, path));
}

function isoDay(day: string): string | null {
  return day === '00000000' ? null : `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
}

function isoTime(legacy: string): string {
  const [, day, month, year, time] = /^(\d\d)\/(\d\d)\/(\d\d) (\d\d:\d\d)$/.exec(legacy) ?? [];
  return `20${year}-${month}-${day}T${time}:00.000Z`;
}
