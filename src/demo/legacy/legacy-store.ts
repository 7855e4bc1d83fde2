/** The legacy shop's data on disk. Synchronous, like the shop it plays. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { ORDER_NUMBER_STEP, sampleData } from '../shop/sample-data.ts';
import { inTransaction, integer, openShopDatabase, type Row, text } from '../shop/shop-database.ts';
import { ShopError } from '../shop/shop-error.ts';
import type { OrderInput, PreferencesInput, ProfileInput, SearchInput } from '../shop/shop-inputs.ts';
import { legacyDateTime, legacyDay, legacyFlag, NO_DAY } from './legacy-formats.ts';
import {
  INSERT_ORDER_LINE,
  INSERT_USER,
  LEGACY_SCHEMA,
  LEGACY_STATUS,
  LEGACY_VERSION,
  seedLegacy,
} from './legacy-schema.ts';

const ORDERS_A_USER_MAX = ORDER_NUMBER_STEP - 1;

export class LegacyStore {
  readonly #database: DatabaseSync;

  /** @param file created, with the sample data in it, when it does not exist */
  constructor(file: string) {
    this.#database = openShopDatabase(file, LEGACY_VERSION, LEGACY_SCHEMA, (database) =>
      seedLegacy(database, sampleData()),
    );
  }

  close(): void {
    this.#database.close();
  }

  /** @throws ShopError `not_found` */
  user(userId: number): Row {
    const row = this.#one('SELECT * FROM shop_user WHERE userId = ?', userId);
    if (row === undefined) throw new ShopError('not_found', `No such user: u-${userId}.`);
    return row;
  }

  /** @throws ShopError `conflict` when the user is there already */
  addUser(userId: number, profile: ProfileInput, now: Date): void {
    if (this.#one('SELECT 1 FROM shop_user WHERE userId = ?', userId) !== undefined) {
      throw new ShopError('conflict', `u-${userId} is signed up already.`);
    }
    const { userName, email, phone, addr1, addr2, zip, city, country } = profile;
    this.#run(
      INSERT_USER,
      userId,
      userName,
      email,
      phone,
      addr1,
      addr2,
      zip,
      city,
      country,
      NO_DAY,
      legacyDateTime(now),
      0,
      'N',
      'N',
      'EN',
      legacyDay(now),
    );
  }

  /** @throws ShopError `not_found` */
  changeProfile(userId: number, changes: Partial<ProfileInput>): void {
    this.user(userId);
    // The names come from the list of known fields, never from the request.
    inTransaction(this.#database, () => {
      for (const [column, value] of Object.entries(changes)) {
        this.#run(`UPDATE shop_user SET ${column} = ? WHERE userId = ?`, value, userId);
      }
    });
  }

  /** @throws ShopError `not_found` */
  changePreferences(userId: number, changes: Partial<PreferencesInput>, now: Date): void {
    const row = this.user(userId);
    const { newsletter, sms, language } = changes;
    this.#run(
      `UPDATE shop_user SET pref_newsletter = ?, pref_sms = ?, pref_lang = ?, pref_chgDate = ? WHERE userId = ?`,
      newsletter === undefined ? text(row, 'pref_newsletter') : legacyFlag(newsletter),
      sms === undefined ? text(row, 'pref_sms') : legacyFlag(sms),
      language === undefined ? text(row, 'pref_lang') : language.toUpperCase(),
      legacyDay(now),
      userId,
    );
  }

  /** The lines of the user's latest orders, newest order first. */
  orderLines(userId: number, ordersMax: number): Row[] {
    this.user(userId);
    return this.#all(
      `SELECT * FROM shop_order WHERE custNo = ? AND orderNo > (
         SELECT coalesce(max(orderNo), 0) FROM shop_order WHERE custNo = ?) - ?
       ORDER BY orderNo DESC, lineNo`,
      userId,
      userId,
      ordersMax,
    );
  }

  /** @throws ShopError `not_found`, for another user's order too */
  order(userId: number, orderNo: number): Row[] {
    const lines = this.#all(
      'SELECT * FROM shop_order WHERE orderNo = ? AND custNo = ? ORDER BY lineNo',
      orderNo,
      userId,
    );
    if (lines.length === 0) throw new ShopError('not_found', 'No such order.');
    return lines;
  }

  /** @returns the new order's number. @throws ShopError for an unknown user or product. */
  placeOrder(userId: number, order: OrderInput, now: Date): number {
    const user = this.user(userId);
    return inTransaction(this.#database, () => {
      const last = this.#one(
        'SELECT coalesce(max(orderNo), ?) AS orderNo FROM shop_order WHERE custNo = ?',
        userId * ORDER_NUMBER_STEP,
        userId,
      );
      const orderNo = integer(last, 'orderNo') + 1;
      if (orderNo > userId * ORDER_NUMBER_STEP + ORDERS_A_USER_MAX) {
        throw new ShopError('conflict', 'This user has as many orders as a user may have.');
      }
      for (const [index, { sku, quantity }] of order.items.entries()) {
        const product = this.product(sku);
        this.#run(
          INSERT_ORDER_LINE,
          orderNo,
          index + 1,
          userId,
          text(user, 'userName'),
          text(user, 'city'),
          legacyDateTime(now),
          LEGACY_STATUS.placed,
          integer(user, 'loyaltyPct'),
          sku,
          text(product, 'descr'),
          integer(product, 'priceCents'),
          quantity,
        );
      }
      return orderNo;
    });
  }

  /** Once more is no error. @throws ShopError `not_found`, or `conflict` when it is on its way. */
  cancelOrder(userId: number, orderNo: number): void {
    const status = text(this.order(userId, orderNo)[0], 'orderStatus');
    if (status === LEGACY_STATUS.shipped) throw new ShopError('conflict', 'The order is on its way.');
    this.#run('UPDATE shop_order SET orderStatus = ? WHERE orderNo = ?', LEGACY_STATUS.cancelled, orderNo);
  }

  products(category: string | undefined): Row[] {
    return this.#all('SELECT * FROM shop_product WHERE ?1 IS NULL OR cat = ?1', category ?? null);
  }

  /** @throws ShopError `not_found` */
  product(sku: string): Row {
    const row = this.#one('SELECT * FROM shop_product WHERE sku = ?', sku);
    if (row === undefined) throw new ShopError('not_found', `No such product: ${sku.slice(0, 40)}.`);
    return row;
  }

  search({ q, maxPrice }: SearchInput): Row[] {
    return this.#all(
      'SELECT * FROM shop_product WHERE instr(lower(descr), lower(?1)) > 0 AND (?2 IS NULL OR priceCents <= ?2)',
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
