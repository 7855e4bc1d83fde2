import fc from 'fast-check';
import t from 'tap';
import { type Condition, METRICS, type Verdict } from '../../src/guard/condition.ts';
import { judge } from '../../src/guard/judge.ts';
import { type Counts, latencyBin, type Slot } from '../../src/guard/slot.ts';
import { type Cell, made, NOTHING, sideOf, slot } from './made-slots.ts';

const NOW = 40;

/** Few values, so that conditions are near their thresholds often. */
const CELL = fc
  .record({
    group: fc.integer({ min: 0, max: 15 }),
    gateway: fc.integer({ min: 1, max: 3 }),
    ok: fc.integer({ min: 0, max: 30 }),
    failed: fc.constantFrom(0, 0, 0, 1, 3, 12),
    ms: fc.constantFrom(10, 200, 1500, 9000),
    stalled: fc.constantFrom(0, 0, 2),
    mismatched: fc.constantFrom(0, 0, 1),
  })
  .map(({ group, gateway, ok, failed, ms, stalled, mismatched }): Cell => {
    const requests = ok + failed;
    const latency = new Map(requests > 0 ? [[latencyBin(ms), requests]] : []);
    const counts = {
      requests,
      failed,
      stalled,
      late: 0,
      compared: requests + mismatched,
      mismatched,
      latency,
    };
    return { group, gateway, counts };
  });
/** By second: which cells. */
const CELLS = fc.array(fc.tuple(fc.integer({ min: 1, max: NOW }), fc.array(CELL, { maxLength: 6 })), {
  minLength: 1,
  maxLength: 30,
});

const CONDITION = fc
  .record({
    metric: fc.constantFrom(...METRICS.filter((metric) => metric !== 'mirrorBacklog')),
    relative: fc.constantFrom('over', 'both', 'legacy'),
    share: fc.constantFrom(0.02, 0.1, 0.5),
    ms: fc.constantFrom(100, 1000),
    windowMs: fc.constantFrom(4000, 8000),
    windows: fc.constantFrom({ over: 1, of: 1 }, { over: 2, of: 3 }, { over: 3, of: 5 }),
    minRequests: fc.constantFrom(1, 50),
    confidence: fc.constantFrom(0.9, 0.99),
  })
  .map(({ metric, relative, share, ms, ...rest }): Condition => {
    const hasLegacy = metric !== 'mismatchShare' && relative !== 'over';
    const over = metric.endsWith('Ms') ? ms : share;
    return made(metric, relative === 'legacy' && hasLegacy ? undefined : over, {
      ...rest,
      overLegacy: hasLegacy ? 1.2 : undefined,
    });
  });

type Seconds = readonly (readonly [number, readonly Cell[]])[];

function slotsOf(fresh: Seconds, legacy: Seconds = []): Slot[] {
  const at = (seconds: Seconds, second: number): Cell[] =>
    seconds.flatMap(([when, cells]) => (when === second ? cells : []));
  const seconds = [...new Set([...fresh, ...legacy].map(([second]) => second))].sort((a, b) => a - b);
  return seconds.map((second) => slot(second, sideOf(at(fresh, second)), sideOf(at(legacy, second))));
}

function verdictOf(condition: Condition, slots: readonly Slot[], now = NOW): Verdict {
  return judge([condition], slots, now)[0]?.verdict ?? 'no-data';
}

/** As bad as it can be made: failed, slow, stalled, mismatched. */
function spoil(counts: Counts): Counts {
  const { requests, compared } = counts;
  const latency = new Map(requests > 0 ? [[latencyBin(60_000), requests]] : []);
  return {
    ...counts,
    failed: requests,
    stalled: counts.stalled + requests,
    late: requests,
    mismatched: compared,
    latency,
  };
}

void t.test('figures are consistent, and a verdict never contradicts them', async () => {
  fc.assert(
    fc.property(CONDITION, CELLS, CELLS, (condition, fresh, legacy) => {
      const judgement = judge([condition], slotsOf(fresh, legacy), NOW)[0];
      if (judgement === undefined) return false;
      const { verdict, path, figures } = judgement;
      const { value, lower, upper, threshold, requests, windowsOver, evidence } = figures;
      const isOrdered = value === undefined || (lower ?? 0) <= value * (1 + 1e-6);
      const agrees = {
        'no-data': requests < Math.max(1, condition.minRequests) || threshold === undefined,
        healthy: requests >= condition.minRequests && value !== undefined && value <= (threshold ?? -1),
        tripped: path !== undefined && requests >= 0 && value !== undefined,
        uncertain: requests > 0,
      }[verdict];
      const isCounted = windowsOver >= 0 && windowsOver <= condition.windows.of && evidence >= 0;
      return (
        isOrdered &&
        agrees &&
        isCounted &&
        (upper === undefined || upper >= 0) &&
        (path === undefined) === (verdict !== 'tripped')
      );
    }),
    { numRuns: 600 },
  );
});

void t.test('no data is never healthy', async () => {
  fc.assert(
    fc.property(CONDITION, CELLS, (condition, legacy) => {
      const silent = slotsOf([], legacy);
      const empty = legacy.map(([second]) => slot(second, NOTHING));
      return verdictOf(condition, silent) === 'no-data' && verdictOf(condition, empty) === 'no-data';
    }),
  );
});

void t.test('worse requests never make it healthy, whoever has them', async () => {
  fc.assert(
    fc.property(CONDITION, CELLS, CELLS, fc.nat(), fc.boolean(), (condition, fresh, legacy, which, all) => {
      const before = verdictOf(condition, slotsOf(fresh, legacy));
      const worse = fresh.map(([second, cells], at): [number, Cell[]] => [
        second,
        cells.map((cell) =>
          all || at === which % fresh.length ? { ...cell, counts: spoil(cell.counts) } : cell,
        ),
      ]);
      // A condition on the share of stalled requests counts late ones less, so these may come to be too few.
      return before === 'healthy' || verdictOf(condition, slotsOf(worse, legacy)) !== 'healthy';
    }),
    { numRuns: 600 },
  );
});

void t.test(
  'what trips at a threshold trips at a lower one, if all requests are of one gateway and few groups',
  async () => {
    let tripped = 0;
    fc.assert(
      fc.property(CONDITION, CELLS, CELLS, (condition, fresh, legacy) => {
        const alike = fresh.map(([second, cells]): [number, Cell[]] => [
          second,
          cells.map((cell) => ({ ...cell, gateway: 1, group: cell.group % 3 })),
        ]);
        if (condition.over === undefined || verdictOf(condition, slotsOf(alike, legacy)) !== 'tripped')
          return true;
        tripped += 1;
        const lower = { ...condition, over: condition.over * 0.9, overLegacy: undefined };
        return verdictOf(lower, slotsOf(alike, legacy)) === 'tripped';
      }),
      { numRuns: 600 },
    );
    t.ok(tripped > 20, `${tripped} of them tripped`);
  },
);

void t.test(
  'nobody is moved by one gateway, nor by two user groups, however bad, while the others have no bad request',
  async () => {
    const others = fc.array(CELL, { minLength: 24, maxLength: 48 });
    fc.assert(
      fc.property(
        CONDITION,
        others,
        fc.array(CELL, { maxLength: 60 }),
        fc.boolean(),
        (condition, good, bad, isGateway) => {
          if (condition.over === undefined) return true;
          const clean = good.map(({ group, gateway, counts }): Cell => {
            const requests = 25;
            const latency = new Map([[latencyBin(10), requests]]);
            const fine: Counts = {
              ...counts,
              requests,
              failed: 0,
              stalled: 0,
              compared: requests,
              mismatched: 0,
              latency,
            };
            return isGateway
              ? { group, gateway: 2 + (gateway % 2), counts: fine }
              : { group: 2 + (group % 14), gateway, counts: fine };
          });
          const sick = bad.map(({ group, gateway, counts }): Cell => {
            const spoilt = spoil(counts);
            return isGateway
              ? { group, gateway: 1, counts: spoilt }
              : { group: group % 2, gateway, counts: spoilt };
          });
          const seconds = [37, 38, 39, NOW].map((second, at): [number, Cell[]] => [
            second,
            [...clean, ...sick.filter((_, index) => index % 4 === at)],
          ]);
          const active = new Set(clean.map(({ group }) => group)).size;
          // With few groups fewer are left out.
          return (!isGateway && active < 8) || verdictOf(condition, slotsOf(seconds)) !== 'tripped';
        },
      ),
      { numRuns: 400 },
    );
  },
);

void t.test('the same slots give the same judgement, in other objects and when judged again', async (t) => {
  fc.assert(
    fc.property(CONDITION, CELLS, CELLS, (condition, fresh, legacy) => {
      const slots = slotsOf(fresh, legacy);
      const first = JSON.stringify(judge([condition], slots, NOW));
      return (
        first === JSON.stringify(judge([condition], slots, NOW)) &&
        first === JSON.stringify(judge([condition], slotsOf(fresh, legacy), NOW))
      );
    }),
  );
  t.pass();
});
