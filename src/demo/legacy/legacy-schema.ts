/** The legacy shop's tables: one wide row a user, and the customer's name copied into each line of each order. */
import type { DatabaseSync } from 'node:sqlite';
import type { OrderStatus, SampleData, SampleUser } from '../shop/sample-data.ts';
import { legacyDateTime, legacyDay, legacyFlag } from './legacy-formats.ts';

export const LEGACY_VERSION = 1;

export const LEGACY_SCHEMA = `
  CREATE TABLE shop_user (
    userId INTEGER PRIMARY KEY,
    userName TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,
    addr1 TEXT NOT NULL, addr2 TEXT NOT NULL, zip TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL,
    birthDate TEXT NOT NULL, memberSince TEXT NOT NULL, loyaltyPct INTEGER NOT NULL,
    pref_newsletter TEXT NOT NULL, pref_sms TEXT NOT NULL, pref_lang TEXT NOT NULL, pref_chgDate TEXT NOT NULL
  );
  CREATE TABLE shop_product (
    prodNo INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, descr TEXT NOT NULL, cat TEXT NOT NULL,
    priceCents INTEGER NOT NULL
  );
  CREATE TABLE shop_order (
    orderNo INTEGER NOT NULL, lineNo INTEGER NOT NULL,
    custNo INTEGER NOT NULL, custName TEXT NOT NULL, custCity TEXT NOT NULL,
    orderDate TEXT NOT NULL, orderStatus TEXT NOT NULL, discPct INTEGER NOT NULL,
    sku TEXT NOT NULL, descr TEXT NOT NULL, priceCents INTEGER NOT NULL, qty INTEGER NOT NULL,
    PRIMARY KEY (orderNo, lineNo)
  );
  CREATE INDEX shop_order_customer ON shop_order (custNo, orderNo);
`;

/** One letter: new, sent, cancelled. */
export const LEGACY_STATUS = { placed: 'N', shipped: 'S', cancelled: 'X' } as const satisfies Record<
  OrderStatus,
  string
>;

export const INSERT_USER = `INSERT INTO shop_user VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const INSERT_ORDER_LINE = `INSERT INTO shop_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export function seedLegacy(database: DatabaseSync, data: SampleData): void {
  const product = database.prepare('INSERT INTO shop_product VALUES (?, ?, ?, ?, ?)');
  for (const item of data.products) {
    product.run(item.number, item.sku, item.name, item.category, item.priceCents);
  }
  const user = database.prepare(INSERT_USER);
  const line = database.prepare(INSERT_ORDER_LINE);
  for (const person of data.users) {
    const { address } = person;
    user.run(
      person.number,
      person.name,
      person.email,
      person.phone,
      address.line1,
      address.line2,
      address.postalCode,
      address.city,
      address.country,
      person.birthDate.replaceAll('-', ''),
      legacyDateTime(person.memberSince),
      person.loyaltyPercent,
      legacyFlag(person.newsletter),
      legacyFlag(person.sms),
      person.language.toUpperCase(),
      legacyDay(person.memberSince),
    );
    for (const values of orderLines(person)) line.run(...values);
  }
}

function* orderLines(person: SampleUser): Generator<(string | number)[]> {
  for (const order of person.orders) {
    for (const [index, { product, quantity }] of order.lines.entries()) {
      yield [
        order.number,
        index + 1,
        person.number,
        person.name,
        person.address.city,
        legacyDateTime(order.placedAt),
        LEGACY_STATUS[order.status],
        order.discountPercent,
        product.sku,
        product.name,
        product.priceCents,
        quantity,
      ];
    }
  }
}
