/** The legacy shop's answers: flat, numbers for ids, `Y` and `N`, dates in two formats of its own. */

import type { RequestCounts } from '../shop/request-counts.ts';
import { integer, type Row, text } from '../shop/shop-database.ts';
import type { ShopError } from '../shop/shop-error.ts';
import {
  fullPreferences,
  fullProfile,
  orderInput,
  orderNumber,
  preferenceChanges,
  profileChanges,
  searchBody,
  searchQuery,
} from '../shop/shop-inputs.ts';
import { callingUser, type ShopAnswer, type ShopRequest, type ShopRoute } from '../shop/shop-router.ts';
import { legacyDateTime } from './legacy-formats.ts';
import type { LegacyStore } from './legacy-store.ts';

const RECENT_ORDERS = 20;
const HISTORY_ORDERS_MAX = 500;

/** Pictures were never moved: the rewrite has none. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40" viewBox="0 0 120 40">
  <rect width="120" height="40" rx="6" fill="#7a2e1d"/>
  <text x="60" y="27" font-family="serif" font-size="20" text-anchor="middle" fill="#fff">SHOP</text>
</svg>
`;

const USER_COLUMNS = ['userName', 'email', 'phone', 'addr1', 'addr2', 'zip', 'city', 'country'] as const;

export interface LegacyShop {
  readonly store: LegacyStore;
  readonly counts: Readonly<RequestCounts>;
  readonly now: () => Date;
  /** 0 to 1; decides where an unordered list begins. */
  readonly random: () => number;
}

export function legacyRoutes(shop: LegacyShop): ShopRoute[] {
  return [...userRoutes(shop), ...orderRoutes(shop), ...catalogueRoutes(shop)];
}

function userRoutes(shop: LegacyShop): ShopRoute[] {
  const { store, now } = shop;
  const profile = (userId: number, status?: number): ShopAnswer =>
    answer(shop, userBody(store.user(userId)), status);
  const preferences = (userId: number): ShopAnswer => answer(shop, preferencesBody(store.user(userId)));
  return [
    { method: 'GET', path: '/api/profile', handle: (request) => profile(callingUser(request)) },
    {
      method: 'POST',
      path: '/api/profile',
      handle: (request) => {
        store.addUser(callingUser(request), fullProfile(request.body), now());
        return profile(callingUser(request), 201);
      },
    },
    {
      method: 'PUT',
      path: '/api/profile',
      handle: (request) => {
        store.changeProfile(callingUser(request), fullProfile(request.body));
        return profile(callingUser(request));
      },
    },
    {
      method: 'PATCH',
      path: '/api/profile',
      handle: (request) => {
        store.changeProfile(callingUser(request), profileChanges(request.body));
        return profile(callingUser(request));
      },
    },
    { method: 'GET', path: '/api/preferences', handle: (request) => preferences(callingUser(request)) },
    {
      method: 'PUT',
      path: '/api/preferences',
      handle: (request) => {
        store.changePreferences(callingUser(request), fullPreferences(request.body), now());
        return preferences(callingUser(request));
      },
    },
    {
      method: 'PATCH',
      path: '/api/preferences',
      handle: (request) => {
        store.changePreferences(callingUser(request), preferenceChanges(request.body), now());
        return preferences(callingUser(request));
      },
    },
  ];
}

function orderRoutes(shop: LegacyShop): ShopRoute[] {
  const { store, now } = shop;
  const order = (userId: number, orderNo: number, status?: number): ShopAnswer =>
    answer(shop, orderBody(store.order(userId, orderNo)), status);
  return [
    {
      method: 'GET',
      path: '/api/orders',
      handle: (request) => {
        const orders = byOrder(store.orderLines(callingUser(request), RECENT_ORDERS)).map(orderBody);
        return answer(shop, { custNo: callingUser(request), count: orders.length, orders });
      },
    },
    {
      method: 'POST',
      path: '/api/orders',
      handle: (request) => {
        const userId = callingUser(request);
        return order(userId, store.placeOrder(userId, orderInput(request.body), now()), 201);
      },
    },
    {
      method: 'GET',
      path: '/api/orders/history',
      handle: (request) => {
        const userId = callingUser(request);
        const orders = byOrder(store.orderLines(userId, HISTORY_ORDERS_MAX)).map(historyBody);
        const spentCents = orders.reduce((sum, { total }) => sum + Math.round(total * 100), 0);
        return answer(shop, { custNo: userId, orderCount: orders.length, spent: spentCents / 100, orders });
      },
    },
    { method: 'GET', path: '/api/orders/:number', handle: (request) => order(...orderOf(request)) },
    {
      method: 'DELETE',
      path: '/api/orders/:number',
      handle: (request) => {
        store.cancelOrder(...orderOf(request));
        return order(...orderOf(request));
      },
    },
  ];
}

function catalogueRoutes(shop: LegacyShop): ShopRoute[] {
  const { store, random, counts } = shop;
  const list = (rows: Row[]): ShopAnswer =>
    answer(shop, { hits: rows.length, items: unordered(rows.map(productBody), random) });
  return [
    { method: 'GET', path: '/health', handle: () => answer(shop, { status: 'OK', ...counts }) },
    {
      method: 'GET',
      path: '/api/products',
      handle: ({ query }) => list(store.products(query.get('category') ?? undefined)),
    },
    {
      method: 'GET',
      path: '/api/products/:sku',
      handle: ({ params }) => answer(shop, productBody(store.product(params.get('sku') ?? ''))),
    },
    { method: 'GET', path: '/api/search', handle: ({ query }) => list(store.search(searchQuery(query))) },
    {
      method: 'POST',
      path: '/api/search',
      isRead: true,
      handle: ({ body }) => list(store.search(searchBody(body))),
    },
    {
      method: 'GET',
      path: '/static/logo.svg',
      handle: () => ({ status: 200, text: LOGO, contentType: 'image/svg+xml' }),
    },
  ];
}

/** Each answer carries its time and a number of its own: noise that a comparison has to see through. */
function answer({ now, random }: LegacyShop, body: Record<string, unknown>, status = 200): ShopAnswer {
  return {
    status,
    body: { ...body, generatedAt: legacyDateTime(now()), reqNo: Math.floor(random() * 1e9) },
  };
}

/** @returns such as `{"err":"E_NOT_FOUND","errText":"No such order."}` */
export function legacyErrorBody(error: ShopError): unknown {
  return { err: `E_${error.code.toUpperCase()}`, errText: error.message };
}

function userBody(row: Row): Record<string, unknown> {
  const columns = USER_COLUMNS.map((column) => [column, text(row, column)] as const);
  return {
    userId: integer(row, 'userId'),
    ...Object.fromEntries(columns),
    birthDate: text(row, 'birthDate'),
    memberSince: text(row, 'memberSince'),
    loyaltyPct: integer(row, 'loyaltyPct'),
    ...preferencesBody(row),
  };
}

function preferencesBody(row: Row): Record<string, unknown> {
  return {
    pref_newsletter: text(row, 'pref_newsletter'),
    pref_sms: text(row, 'pref_sms'),
    pref_lang: text(row, 'pref_lang'),
    pref_chgDate: text(row, 'pref_chgDate'),
  };
}

function orderBody(lines: Row[]): Record<string, unknown> {
  const first = lines[0];
  return {
    orderNo: integer(first, 'orderNo'),
    orderDate: text(first, 'orderDate'),
    status: text(first, 'orderStatus'),
    custNo: integer(first, 'custNo'),
    custName: text(first, 'custName'),
    custCity: text(first, 'custCity'),
    discPct: integer(first, 'discPct'),
    items: lines.map((line) => ({
      sku: text(line, 'sku'),
      descr: text(line, 'descr'),
      qty: integer(line, 'qty'),
      price: integer(line, 'priceCents') / 100,
    })),
    total: orderTotal(lines),
    curr: 'EUR',
  };
}

function historyBody(lines: Row[]): { total: number } & Record<string, unknown> {
  const first = lines[0];
  return {
    orderNo: integer(first, 'orderNo'),
    orderDate: text(first, 'orderDate'),
    status: text(first, 'orderStatus'),
    total: orderTotal(lines),
  };
}

/** The discount is taken off the whole order, and half a cent is rounded up. */
function orderTotal(lines: Row[]): number {
  const full = lines.reduce((sum, line) => sum + integer(line, 'priceCents') * integer(line, 'qty'), 0);
  return Math.floor((full * (100 - integer(lines[0], 'discPct')) + 50) / 100) / 100;
}

function productBody(row: Row): Record<string, unknown> {
  return {
    prodNo: integer(row, 'prodNo'),
    sku: text(row, 'sku'),
    descr: text(row, 'descr'),
    cat: text(row, 'cat'),
    price: integer(row, 'priceCents') / 100,
  };
}

function byOrder(lines: readonly Row[]): Row[][] {
  const orders = new Map<number, Row[]>();
  for (const line of lines) {
    const orderNo = integer(line, 'orderNo');
    const known = orders.get(orderNo);
    if (known === undefined) orders.set(orderNo, [line]);
    else known.push(line);
  }
  return [...orders.values()];
}

/** The old queries have no ORDER BY: the same things come back, each time beginning somewhere else. */
function unordered<T>(list: readonly T[], random: () => number): T[] {
  const start = Math.floor(random() * list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

function orderOf(request: ShopRequest): [userId: number, orderNo: number] {
  return [callingUser(request), orderNumber(request.params.get('number'))];
}
