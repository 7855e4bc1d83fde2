/** What the users of the traffic generator do, one request after the other; the same for the same seed. */
import { LANGUAGES, ORDER_NUMBER_STEP, sampleData } from '../shop/sample-data.ts';
import { between, pick, seededRandom } from '../shop/seeded-random.ts';

/** The rows of the final table. */
export const STEPS = [
  'profile',
  'preferences',
  'search',
  'product',
  'orders',
  'order',
  'history',
  'place order',
  'change preference',
] as const;
export type StepName = (typeof STEPS)[number];

export interface Step {
  readonly name: StepName;
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly json?: unknown;
}

const SKUS = sampleData().products.map(({ sku }) => sku);
const WORDS = ['kettle', 'lamp', 'lantern', 'chair', 'mug', 'folding', 'travel', 'classic'];

/** What the user pays for, sent as `x-plan`: one user in 20 is `staff`, four in 20 are `beta`, the rest sends none. */
export function userPlan(user: number): 'staff' | 'beta' | undefined {
  if (user % 20 === 2) return 'staff';
  return user % 5 === 1 ? 'beta' : undefined;
}

/** One visit after the other, without end: about nine reads to a write. */
export function* userSteps(seed: number, user: number): Generator<Step, never> {
  const random = seededRandom(seed * 1_000_003 + user);
  for (;;) yield* visit(random, user);
}

function* visit(random: () => number, user: number): Generator<Step, void> {
  yield { name: 'profile', method: 'GET', path: '/api/profile' };
  yield { name: 'preferences', method: 'GET', path: '/api/preferences' };
  const searches = between(random, 1, 3);
  for (let search = 0; search < searches; search += 1) {
    yield { name: 'search', method: 'GET', path: `/api/search?q=${pick(random, WORDS)}` };
    yield { name: 'product', method: 'GET', path: `/api/products/${pick(random, SKUS)}` };
  }
  if (random() < 0.6) {
    const items = [{ sku: pick(random, SKUS), quantity: between(random, 1, 3) }];
    yield { name: 'place order', method: 'POST', path: '/api/orders', json: { items } };
  }
  yield { name: 'orders', method: 'GET', path: '/api/orders' };
  // Everyone's first order is in the sample data of both shops.
  yield { name: 'order', method: 'GET', path: `/api/orders/${user * ORDER_NUMBER_STEP + 1}` };
  if (random() < 0.5) yield { name: 'history', method: 'GET', path: '/api/orders/history' };
  if (random() < 0.3) {
    const json = random() < 0.5 ? { newsletter: random() < 0.5 } : { language: pick(random, LANGUAGES) };
    yield { name: 'change preference', method: 'PATCH', path: '/api/preferences', json };
  }
}
