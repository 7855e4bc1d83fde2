/**
 * Whether what is told may be judged whenever it comes in, by going through everything that can happen: two gateways, a
 * few requests each, every one bad with a chance of exactly the threshold. Then a bet on what was told so far must not win
 * in the mean, whenever somebody stops betting.
 */
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { logWin } from '../../src/guard/evidence.ts';
import { ReportLoop } from '../../src/guard/report-loop.ts';
import { NO_COUNTS } from '../../src/guard/slot.ts';
import type { GatewayReport } from '../../src/guard/slot-feed.ts';

/** Of 50 ms. A tick is five. */
const STEPS = 12;
const TICK_STEPS = 5;
/** In which steps each gateway has a request, and its first tick. */
const GATEWAYS = [
  { asked: [0, 2, 4, 5], tick: 1 },
  { asked: [0, 1, 3, 7], tick: 4 },
] as const;
const M = 0.3;
const STAKE = 0.9;

interface Played {
  readonly chance: number;
  /** What the bet has after each step. */
  readonly money: readonly number[];
}

/** @param bad whether each request is, gateway after gateway @param isHasty failures are told in the moment in which they happen */
async function play(bad: readonly boolean[], isHasty: boolean): Promise<Played> {
  let logMoney = 0;
  const log = pino({ level: 'silent' });
  const gateways = GATEWAYS.map(({ asked, tick }, at) => {
    const state = { requests: 0, failed: 0, early: undefined as (() => void) | undefined };
    const telling = new ReportLoop({
      gateway: `${at}`,
      counter: {
        ticked: () => undefined,
        drain: () => {
          const { requests, failed } = state;
          [state.requests, state.failed] = [0, 0];
          if (requests === 0) return new Map();
          const counts = { ...NO_COUNTS, requests, failed };
          return new Map([['free', { new: { byGroup: new Map([[0, counts]]), kinds: {} } }]]);
        },
      },
      feed: {
        publish: async ({ cohorts }: GatewayReport) => {
          const counts = cohorts.get('free')?.new?.byGroup.get(0) ?? NO_COUNTS;
          const { requests, failed } = counts;
          logMoney += failed * logWin(STAKE, 1, M) + (requests - failed) * logWin(STAKE, 0, M);
        },
      },
      log,
      now: () => 0,
      after: (_ms, run) => {
        state.early = run;
        return () => undefined;
      },
    });
    return { asked, tick, state, telling, first: at * asked.length };
  });
  const money: number[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    for (const { asked, tick, state, telling, first } of gateways) {
      const early = state.early;
      state.early = undefined;
      const request = asked.findIndex((at) => at === step);
      const isBad = request >= 0 && bad[first + request] === true;
      if (request >= 0) state.requests += 1;
      if (isBad) state.failed += 1;
      early?.();
      if (step % TICK_STEPS === tick || (isHasty && isBad)) await telling.tick();
    }
    await setImmediate();
    money.push(Math.exp(logMoney));
  }
  return { chance: bad.reduce((product, one) => product * (one ? M : 1 - M), 1), money };
}

/** What a bet has in the mean that is ended as soon as it has so much, or at the end. */
function meanWhenStoppedAt(enough: number, all: readonly Played[]): number {
  return all.reduce((sum, { chance, money }) => {
    const stopped = money.find((each) => each >= enough) ?? money.at(-1) ?? 0;
    return sum + chance * stopped;
  }, 0);
}

async function everything(isHasty: boolean): Promise<readonly Played[]> {
  const requests = GATEWAYS.reduce((sum, { asked }) => sum + asked.length, 0);
  const outcomes = Array.from({ length: 2 ** requests }, (_, outcome) =>
    Array.from({ length: requests }, (_each, at) => ((outcome >> at) & 1) === 1),
  );
  return Promise.all(outcomes.map((bad) => play(bad, isHasty)));
}

void t.test('a bet on what is told does not win by being looked at early, whenever it stops', async (t) => {
  const all = await everything(false);
  t.ok(Math.abs(all.reduce((sum, { chance }) => sum + chance, 0) - 1) < 1e-9);
  for (const enough of [1.01, 2, 3, 5, 10, 1_000]) {
    const mean = meanWhenStoppedAt(enough, all);
    t.ok(Math.abs(mean - 1) < 1e-9, `stopped at ${enough}: ${mean}`);
  }
});

void t.test(
  'it would, if a gateway told a failure at once while another keeps its good requests',
  async (t) => {
    const all = await everything(true);
    t.ok(meanWhenStoppedAt(1.01, all) > 1.3, `${meanWhenStoppedAt(1.01, all)}`);
  },
);
