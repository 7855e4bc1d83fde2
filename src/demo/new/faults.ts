/** The mistakes that were put into the rewrite on purpose; `docs/demo.md` shows how to see each. */

export interface Faults {
  /** The page of one order cuts its total to cents where lists of orders round it: some are a cent too low. */
  readonly rounding: boolean;
  /** The second address line is lost for users whose name is not plain ASCII. */
  readonly lostAddressLine: boolean;
  /** The order history of users with more than 20 orders takes 400 to 800 ms. */
  readonly slowHistory: boolean;
}

export const SEEDED_FAULTS: Faults = Object.freeze({
  rounding: true,
  lostAddressLine: true,
  slowHistory: true,
});

export const NO_FAULTS: Faults = Object.freeze({
  rounding: false,
  lostAddressLine: false,
  slowHistory: false,
});

const SLOW_MIN_MS = 400;
const SLOW_MAX_MS = 800;

/** @returns the total in cents of an order of `fullCents` with a discount, as its own page has it. */
export function pageTotalCents(fullCents: number, discountPercent: number, faults: Faults): number {
  if (!faults.rounding) return orderTotalCents(fullCents, discountPercent);
  return Math.floor((fullCents * (100 - discountPercent)) / 100);
}

/** @returns the total in cents, half a cent rounded up. */
export function orderTotalCents(fullCents: number, discountPercent: number): number {
  return Math.floor((fullCents * (100 - discountPercent) + 50) / 100);
}

/** @returns whether the second line of the address is left out of the answer. */
export function losesAddressLine(name: string, faults: Faults): boolean {
  return faults.lostAddressLine && /[^ -~]/.test(name);
}

/** @returns how long the history of a user with so many orders is delayed, in milliseconds. */
export function historyDelayMs(orders: number, many: number, faults: Faults, random: () => number): number {
  if (!faults.slowHistory || orders <= many) return 0;
  return SLOW_MIN_MS + random() * (SLOW_MAX_MS - SLOW_MIN_MS);
}
