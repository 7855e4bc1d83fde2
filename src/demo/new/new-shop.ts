/** The rewrite's answers: nested, UUIDs, ISO dates, amounts with a currency; and its seeded faults. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RequestCounts } from '../shop/request-counts.ts';
import { MANY_ORDERS } from '../shop/sample-data.ts';
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
import { type Faults, historyDelayMs, losesAddressLine, orderTotalCents, pageTotalCents } from './faults.ts';
import type { NewStore } from './new-store.ts';

const RECENT_ORDERS = 20;
const HISTORY_ORDERS_MAX = 500;

export interface NewShop {
  readonly store: NewStore;
  readonly counts: Readonly<RequestCounts>;
  readonly faults: Faults;
  readonly now: () => Date;
  /** 0 to 1; decides how slow the slow endpoint is. */
  readonly random: () => number;
}

export function newRoutes(shop: NewShop): ShopRoute[] {
  return [...userRoutes(shop), ...orderRoutes(shop), ...catalogueRoutes(shop)];
}

function userRoutes(shop: NewShop): ShopRoute[] {
  const { store, now, faults } = shop;
  const profile = (request: ShopRequest, status?: number): ShopAnswer =>
    answer(shop, request, profileBody(store.user(callingUser(request)), faults), status);
  const preferences = (request: ShopRequest): ShopAnswer =>
    answer(shop, request, preferencesBody(store.user(callingUser(request))));
  return [
    { method: 'GET', path: '/api/profile', handle: (request) => profile(request) },
    {
      method: 'POST',
      path: '/api/profile',
      handle: (request) => {
        store.addUser(callingUser(request), fullProfile(request.body), now());
        return profile(request, 201);
      },
    },
    {
      method: 'PUT',
      path: '/api/profile',
      handle: (request) => {
        store.changeProfile(callingUser(request), fullProfile(request.body));
        return profile(request);
      },
    },
    {
      method: 'PATCH',
      path: '/api/profile',
      handle: (request) => {
        store.changeProfile(callingUser(request), profileChanges(request.body));
        return profile(request);
      },
    },
    { method: 'GET', path: '/api/preferences', handle: preferences },
    {
      method: 'PUT',
      path: '/api/preferences',
      handle: (request) => {
        store.changePreferences(callingUser(request), fullPreferences(request.body), now());
        return preferences(request);
      },
    },
    {
      method: 'PATCH',
      path: '/api/preferences',
      handle: (request) => {
        store.changePreferences(callingUser(request), preferenceChanges(request.body), now());
        return preferences(request);
      },
    },
  ];
}

function orderRoutes(shop: NewShop): ShopRoute[] {
  const { store, now, faults, random } = shop;
  const number = (request: ShopRequest): number => orderNumber(request.params.get('number'));
  const order = (request: ShopRequest, which: number, status?: number): ShopAnswer =>
    answer(shop, request, { order: pageBody(store.order(callingUser(request), which), faults) }, status);
  return [
    {
      method: 'GET',
      path: '/api/orders',
      handle: (request) => {
        const lines = store.orderLines(callingUser(request), RECENT_ORDERS);
        const orders = byOrder(lines).map((group) => orderBody(group, totalCents(group)));
        return answer(shop, request, { orders, page: { count: orders.length } });
      },
    },
    {
      method: 'POST',
      path: '/api/orders',
      handle: (request) =>
        order(request, store.placeOrder(callingUser(request), orderInput(request.body), now()), 201),
    },
    {
      method: 'GET',
      path: '/api/orders/history',
      handle: async (request) => {
        const orders = byOrder(store.orderLines(callingUser(request), HISTORY_ORDERS_MAX));
        const delayMs = historyDelayMs(orders.length, MANY_ORDERS, faults, random);
        if (delayMs > 0) await delay(delayMs);
        return answer(shop, request, historyBody(orders));
      },
    },
    { method: 'GET', path: '/api/orders/:number', handle: (request) => order(request, number(request)) },
    {
      method: 'DELETE',
      path: '/api/orders/:number',
      handle: (request) => {
        store.cancelOrder(callingUser(request), number(request));
        return order(request, number(request));
      },
    },
  ];
}

function catalogueRoutes(shop: NewShop): ShopRoute[] {
  const { store, counts } = shop;
  const list = (request: ShopRequest, rows: Row[]): ShopAnswer =>
    answer(shop, request, { total: rows.length, items: rows.map(productBody) });
  return [
    {
      method: 'GET',
      path: '/health',
      handle: (request) => answer(shop, request, { status: 'ok', ...counts }),
    },
    {
      method: 'GET',
      path: '/api/products',
      handle: (request) => list(request, store.products(request.query.get('category') ?? undefined)),
    },
    {
      method: 'GET',
      path: '/api/products/:sku',
      handle: (request) =>
        answer(shop, request, { product: productBody(store.product(request.params.get('sku') ?? '')) }),
    },
    {
      method: 'GET',
      path: '/api/search',
      handle: (request) => list(request, store.search(searchQuery(request.query))),
    },
    {
      method: 'POST',
      path: '/api/search',
      isRead: true,
      handle: (request) => list(request, store.search(searchBody(request.body))),
    },
  ];
}

/** Each answer carries its time and the request's id: noise that a comparison has to see through. */
function answer(
  { now }: NewShop,
  { requestId }: ShopRequest,
  body: Record<string, unknown>,
  status = 200,
): ShopAnswer {
  return { status, body: { ...body, generatedAt: now().toISOString(), requestId } };
}

/** @returns such as `{"error":{"code":"not_found","message":"There is no such order.","requestId":"…"}}` */
export function newErrorBody(error: ShopError, requestId: string): unknown {
  return { error: { code: error.code, message: error.message, requestId } };
}

function profileBody(row: Row, faults: Faults): Record<string, unknown> {
  const name = text(row, 'name');
  const line2 = text(row, 'line2');
  return {
    user: {
      id: text(row, 'id'),
      key: text(row, 'key'),
      name,
      email: text(row, 'email'),
      phone: text(row, 'phone'),
      birthDate: row.birth_date ?? null,
      memberSince: text(row, 'member_since'),
      loyalty: { percent: integer(row, 'loyalty_percent') },
    },
    address: {
      line1: text(row, 'line1'),
      ...(line2 === '' || losesAddressLine(name, faults) ? {} : { line2 }),
      postalCode: text(row, 'postal_code'),
      city: text(row, 'city'),
      country: text(row, 'country'),
    },
    ...preferencesBody(row),
  };
}

function preferencesBody(row: Row): Record<string, unknown> {
  return {
    preferences: {
      newsletter: integer(row, 'newsletter') === 1,
      sms: integer(row, 'sms') === 1,
      language: text(row, 'language'),
      updatedAt: text(row, 'updated_at'),
    },
  };
}

/** The page of one order makes the total anew. */
function pageBody(lines: Row[], faults: Faults): Record<string, unknown> {
  return orderBody(lines, pageTotalCents(fullCents(lines), integer(lines[0], 'discount_percent'), faults));
}

function orderBody(lines: Row[], total: number): Record<string, unknown> {
  const first = lines[0];
  return {
    id: text(first, 'id'),
    number: integer(first, 'number'),
    placedAt: text(first, 'placed_at'),
    status: text(first, 'status'),
    customer: { id: text(first, 'user_id') },
    discountPercent: integer(first, 'discount_percent'),
    items: lines.map((line) => ({
      sku: text(line, 'sku'),
      name: text(line, 'name'),
      quantity: integer(line, 'quantity'),
      unitPrice: money(integer(line, 'unit_price_cents')),
    })),
    total: money(total),
  };
}

function historyBody(orders: readonly Row[][]): Record<string, unknown> {
  const spent = orders.reduce((sum, lines) => sum + totalCents(lines), 0);
  return {
    history: orders.map((lines) => ({
      id: text(lines[0], 'id'),
      number: integer(lines[0], 'number'),
      placedAt: text(lines[0], 'placed_at'),
      status: text(lines[0], 'status'),
      total: money(totalCents(lines)),
    })),
    totals: { count: orders.length, spent: money(spent) },
  };
}

function totalCents(lines: Row[]): number {
  return orderTotalCents(fullCents(lines), integer(lines[0], 'discount_percent'));
}

/** Before the discount. */
function fullCents(lines: Row[]): number {
  return lines.reduce((sum, line) => sum + integer(line, 'unit_price_cents') * integer(line, 'quantity'), 0);
}

function productBody(row: Row): Record<string, unknown> {
  return {
    id: text(row, 'id'),
    sku: text(row, 'sku'),
    name: text(row, 'name'),
    category: { slug: text(row, 'category') },
    price: money(integer(row, 'price_cents')),
  };
}

function money(cents: number): { amount: number; currency: string } {
  return { amount: cents / 100, currency: 'EUR' };
}

function byOrder(lines: readonly Row[]): Row[][] {
  const orders = new Map<string, Row[]>();
  for (const line of lines) {
    const id = text(line, 'id');
    const known = orders.get(id);
    if (known === undefined) orders.set(id, [line]);
    else known.push(line);
  }
  return [...orders.values()];
}
