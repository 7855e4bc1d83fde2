/** The rewrite's data on disk. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { ORDER_NUMBER_STEP, sampleData } from '../shop/sample-data.ts';
import { inTransaction, integer, openShopDatabase, type Row, text } from '../shop/shop-database.ts';
import { ShopError } from '../shop/shop-error.ts';
import type { OrderInput, PreferencesInput, ProfileInput, SearchInput } from '../shop/shop-inputs.ts';
import { userKey } from '../shop/user-key.ts';
import { uuidFor } from './new-ids.ts';
import {
  INSERT_ADDRESS,
  INSERT_LINE,
  INSERT_ORDER,
  INSERT_PREFERENCES,
  INSERT_USER,
  NEW_SCHEMA,
  NEW_VERSION,
  seedNew,
} from './new-schema.ts';

const ORDERS_A_USER_MAX = ORDER_NUMBER_STEP - 1;

const SELECT_LINES = `
  SELECT orders.*, order_lines.quantity, order_lines.unit_price_cents, products.sku, products.name
  FROM orders
  JOIN order_lines ON order_lines.order_id = orders.id
  JOIN products ON products.id = order_lines.product_id`;

export class NewStore {
  readonly #database: DatabaseSync;

  /** @param file created, with the sample data in it, when it does not exist */
  constructor(file: string) {
    this.#database = openShopDatabase(file, NEW_VERSION, NEW_SCHEMA, (database) =>
      seedNew(database, sampleData()),
    );
  }

  close(): void {
    this.#database.close();
  }

  /** The user, the address and the preferences. @throws ShopError `not_found` */
  user(number: number): Row {
    const row = this.#one(
      `SELECT * FROM users
       JOIN addresses ON addresses.user_id = users.id
       JOIN preferences ON preferences.user_id = users.id
       WHERE users.key = ?`,
      userKey(number),
    );
    if (row === undefined) throw new ShopError('not_found', `There is no user ${userKey(number)}.`);
    return row;
  }

  /** @throws ShopError `conflict` when the user is there already */
  addUser(number: number, profile: ProfileInput, now: Date): void {
    const key = userKey(number);
    if (this.#one('SELECT 1 FROM users WHERE key = ?', key) !== undefined) {
      throw new ShopError('conflict', `The user ${key} exists already.`);
    }
    const id = uuidFor(`user/${key}`);
    const at = now.toISOString();
    inTransaction(this.#database, () => {
      const { userName, email, phone, addr1, addr2, zip, city, country } = profile;
      this.#run(INSERT_USER, id, key, userName, email, phone, null, at, 0);
      this.#run(INSERT_ADDRESS, id, addr1, addr2, zip, city, country);
      this.#run(INSERT_PREFERENCES, id, 0, 0, 'en', at);
    });
  }

  /** @throws ShopError `not_found` */
  changeProfile(number: number, changes: Partial<ProfileInput>): void {
    const row = this.user(number);
    const id = text(row, 'id');
    inTransaction(this.#database, () => {
      this.#run(
        'UPDATE users SET name = ?, email = ?, phone = ? WHERE id = ?',
        changes.userName ?? text(row, 'name'),
        changes.email ?? text(row, 'email'),
        changes.phone ?? text(row, 'phone'),
        id,
      );
      this.#run(
        'UPDATE addresses SET line1 = ?, line2 = ?, postal_code = ?, city = ?, country = ? WHERE user_id = ?',
        changes.addr1 ?? text(row, 'line1'),
        changes.addr2 ?? text(row, 'line2'),
        changes.zip ?? text(row, 'postal_code'),
        changes.city ?? text(row, 'city'),
        changes.country ?? text(row, 'country'),
        id,
      );
    });
  }

  /** @throws ShopError `not_found` */
  changePreferences(number: number, changes: Partial<PreferencesInput>, now: Date): void {
    const row = this.user(number);
    this.#run(
      'UPDATE preferences SET newsletter = ?, sms = ?, language = ?, updated_at = ? WHERE user_id = ?',
      changes.newsletter === undefined ? integer(row, 'newsletter') : Number(changes.newsletter),
      changes.sms === undefined ? integer(row, 'sms') : Number(changes.sms),
      changes.language ?? text(row, 'language'),
      now.toISOString(),
      text(row, 'id'),
    );
  }

  /** The lines of the user's latest orders, newest order first. @throws ShopError `not_found` */
  orderLines(number: number, ordersMax: number): Row[] {
    const id = text(this.user(number), 'id');
    return this.#all(
      `${SELECT_LINES}
       WHERE orders.id IN (SELECT id FROM orders WHERE user_id = ? ORDER BY number DESC LIMIT ?)
       ORDER BY orders.number DESC, order_lines.position`,
      id,
      ordersMax,
    );
  }

  /** @throws ShopError `not_found`, for another user's order too */
  order(number: number, orderNumber: number): Row[] {
    const lines = this.#all(
      `${SELECT_LINES} WHERE orders.number = ? AND orders.user_id = ? ORDER BY order_lines.position`,
      orderNumber,
      uuidFor(`user/${userKey(number)}`),
    );
    if (lines.length === 0) throw new ShopError('not_found', 'There is no such order.');
    return lines;
  }

  /** @returns the new order's number. @throws ShopError for an unknown user or product. */
  placeOrder(number: number, order: OrderInput, now: Date): number {
    const user = this.user(number);
    const userId = text(user, 'id');
    return inTransaction(this.#database, () => {
      const last = this.#one(
        'SELECT coalesce(max(number), ?) AS number FROM orders WHERE user_id = ?',
        number * ORDER_NUMBER_STEP,
        userId,
      );
      const next = integer(last, 'number') + 1;
      if (next > number * ORDER_NUMBER_STEP + ORDERS_A_USER_MAX) {
        throw new ShopError('conflict', 'This user has as many orders as a user may have.');
      }
      const orderId = uuidFor(`order/${next}`);
      const discount = integer(user, 'loyalty_percent');
      this.#run(INSERT_ORDER, orderId, userId, next, now.toISOString(), 'placed', discount);
      for (const [index, { sku, quantity }] of order.items.entries()) {
        const product = this.product(sku);
        const price = integer(product, 'price_cents');
        this.#run(INSERT_LINE, orderId, index + 1, text(product, 'id'), quantity, price);
      }
      return next;
    });
  }

  /** Once more is no error. @throws ShopError `not_found`, or `conflict` when it was shipped. */
  cancelOrder(number: number, orderNumber: number): void {
    const status = text(this.order(number, orderNumber)[0], 'status');
    if (status === 'shipped') throw new ShopError('conflict', 'The order was shipped already.');
    this.#run(`UPDATE orders SET status = 'cancelled' WHERE number = ?`, orderNumber);
  }

  products(category: string | undefined): Row[] {
    return this.#all(
      'SELECT * FROM products WHERE ?1 IS NULL OR category = ?1 ORDER BY sku',
      category ?? null,
    );
  }

  /** @throws ShopError `not_found` */
  product(sku: string): Row {
    const row = this.#one('SELECT * FROM products WHERE sku = ?', sku);
    if (row === undefined) throw new ShopError('not_found', `There is no product ${sku.slice(0, 40)}.`);
    return row;
  }

  search({ q, maxPrice }: SearchInput): Row[] {
    return this.#all(
      `SELECT * FROM products
       WHERE instr(lower(name), lower(?1)) > 0 AND (?2 IS NULL OR price_cents <= ?2) ORDER BY sku`,
      q,
      maxPrice === undefined ? null : Math.round(maxPrice * 100),
    );
  }

  #one(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#database.prepare(sql).all(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#database.prepare(sql).run(...values);
  }
}
