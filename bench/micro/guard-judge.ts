/**
 * What does it cost to judge one cohort, as it is done four times a second? CPU time of this process, so that a busy
 * machine disturbs it less; the median of the rounds. Ten gateways, 200 requests a second to each backend; each round
 * has one slot more, which is the only one that is new to the judge.
 *
 *     node bench/micro/guard-judge.ts
 */
import type { Condition } from '../../src/guard/condition.ts';
import { completeCondition, type ShortKeys, shortConditions } from '../../src/guard/guard-settings.ts';
import { judge } from '../../src/guard/judge.ts';
import {
  type Counts,
  latencyBin,
  NO_COUNTS,
  type SideSlot,
  type Slot,
  USER_GROUPS,
} from '../../src/guard/slot.ts';
import { Random } from '../guard/random.ts';
import { median } from '../statistics.ts';

const GATEWAYS = 10;
const RATE = 200;
const ROUNDS = 50;
const WARM_UP = 30;
const TIMES = 8;
const KEYS: ShortKeys = {
  windowMs: 30_000,
  errorRate: 0.05,
  meanLatencyMs: 1000,
  minRequests: 50,
  action: 'rollback',
};
const DEFAULTS = shortConditions(KEYS);
const FIVE: readonly Condition[] = [
  ...DEFAULTS,
  completeCondition({ metric: 'p99LatencyMs', over: 3000 }, KEYS),
  completeCondition({ metric: 'mismatchShare', over: 0.01 }, KEYS),
];

const random = new Random(1);

interface Sum {
  requests: number;
  failed: number;
  readonly latency: Map<number, number>;
}

function side(failing: (gateway: number) => number): SideSlot {
  const groups = new Map<number, Sum>();
  const gateways = new Map<string, Sum>();
  for (let i = 0; i < RATE; i += 1) {
    const gateway = random.below(GATEWAYS);
    const isFailed = random.next() < failing(gateway);
    const bin = latencyBin(40 / (random.next() + 0.01));
    add(groups, random.below(USER_GROUPS), isFailed, bin);
    add(gateways, `gateway-${gateway}`, isFailed, bin);
  }
  const counts = <K>(sums: ReadonlyMap<K, Sum>): Map<K, Counts> =>
    new Map([...sums].map(([key, sum]): [K, Counts] => [key, { ...NO_COUNTS, ...sum, compared: 1 }]));
  return { byGroup: counts(groups), byGateway: counts(gateways), kinds: {} };
}

function add<K>(sums: Map<K, Sum>, key: K, isFailed: boolean, bin: number): void {
  const sum = sums.get(key) ?? { requests: 0, failed: 0, latency: new Map() };
  sums.set(key, sum);
  sum.requests += 1;
  if (isFailed) sum.failed += 1;
  sum.latency.set(bin, (sum.latency.get(bin) ?? 0) + 1);
}

/** The newest slot as it is after something was added to it. */
function renewed(slots: readonly Slot[]): readonly Slot[] {
  const last = slots.at(-1);
  return last === undefined
    ? slots
    : [...slots.slice(0, -1), { ...last, new: { ...last.new }, legacy: { ...last.legacy } }];
}

function measure(
  conditions: readonly Condition[],
  seconds: number,
  failing: (gateway: number) => number,
): string {
  const next = (second: number): Slot => ({
    second,
    new: side(failing),
    legacy: side(() => 0.005),
    mirrorBacklog: undefined,
  });
  let slots = Array.from({ length: seconds }, (_, second) => next(second));
  const costs: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    slots = [...slots.slice(1), next(seconds + round)];
    const before = process.cpuUsage();
    // Several times, because the clock of CPU time is coarse; each with a side of the newest slot that is not known.
    for (let time = 0; time < TIMES; time += 1) judge(conditions, renewed(slots), seconds + round);
    const { user, system } = process.cpuUsage(before);
    if (round >= WARM_UP) costs.push((user + system) / 1000 / TIMES);
  }
  return `${median(costs).toFixed(2)} ms`;
}

for (const seconds of [30, 150, 600]) {
  for (const [name, conditions] of [
    ['the three defaults', DEFAULTS],
    ['five conditions', FIVE],
  ] as const) {
    console.log(
      `${seconds} slots, ${name}: healthy ${measure(conditions, seconds, () => 0.01)}, ` +
        `one gateway bad ${measure(conditions, seconds, (gateway) => (gateway === 0 ? 1 : 0.01))}, ` +
        `all bad ${measure(conditions, seconds, () => 0.2)}`,
    );
  }
}
