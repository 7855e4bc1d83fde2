/** The rewrite's tables: normalised, one fact in one place. */
import type { DatabaseSync } from 'node:sqlite';
import type { SampleData } from '../shop/sample-data.ts';
import { userKey } from '../shop/user-key.ts';
import { uuidFor } from './new-ids.ts';

export const NEW_VERSION = 1;

export const NEW_SCHEMA = `
  CREATE TABLE users (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,
    birth_date TEXT, member_since TEXT NOT NULL, loyalty_percent INTEGER NOT NULL
  );
  CREATE TABLE addresses (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    line1 TEXT NOT NULL, line2 TEXT NOT NULL, postal_code TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL
  );
  CREATE TABLE preferences (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    newsletter INTEGER NOT NULL, sms INTEGER NOT NULL, language TEXT NOT NULL, updated_at TEXT NOT NULL
  );
  CREATE TABLE products (
    id TEXT PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, category TEXT NOT NULL,
    price_cents INTEGER NOT NULL
  );
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), number INTEGER NOT NULL UNIQUE,
    placed_at TEXT NOT NULL, status TEXT NOT NULL, discount_percent INTEGER NOT NULL
  );
  CREATE INDEX orders_user ON orders (user_id, number);
  CREATE TABLE order_lines (
    order_id TEXT NOT NULL REFERENCES orders (id), position INTEGER NOT NULL,
    product_id TEXT NOT NULL REFERENCES products (id), quantity INTEGER NOT NULL, unit_price_cents INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
  );
`;

export const INSERT_USER = 'INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
export const INSERT_ADDRESS = 'INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?)';
export const INSERT_PREFERENCES = 'INSERT INTO preferences VALUES (?, ?, ?, ?, ?)';
export const INSERT_ORDER = 'INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)';
export const INSERT_LINE = 'INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)';

export function seedNew(database: DatabaseSync, data: SampleData): void {
  const product = database.prepare('INSERT INTO products VALUES (?, ?, ?, ?, ?)');
  for (const item of data.products) {
    product.run(uuidFor(`product/${item.sku}`), item.sku, item.name, item.category, item.priceCents);
  }
  const user = database.prepare(INSERT_USER);
  const address = database.prepare(INSERT_ADDRESS);
  const preferences = database.prepare(INSERT_PREFERENCES);
  const order = database.prepare(INSERT_ORDER);
  const line = database.prepare(INSERT_LINE);
  for (const person of data.users) {
    const key = userKey(person.number);
    const id = uuidFor(`user/${key}`);
    const since = person.memberSince.toISOString();
    const { line1, line2, postalCode, city, country } = person.address;
    user.run(
      id,
      key,
      person.name,
      person.email,
      person.phone,
      person.birthDate,
      since,
      person.loyaltyPercent,
    );
    address.run(id, line1, line2, postalCode, city, country);
    preferences.run(id, Number(person.newsletter), Number(person.sms), person.language, since);
    for (const { number, placedAt, status, discountPercent, lines } of person.orders) {
      const orderId = uuidFor(`order/${number}`);
      order.run(orderId, id, number, placedAt.toISOString(), status, discountPercent);
      for (const [index, { product: item, quantity }] of lines.entries()) {
        line.run(orderId, index + 1, uuidFor(`product/${item.sku}`), quantity, item.priceCents);
      }
    }
  }
}
