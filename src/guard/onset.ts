/** When did it begin? */
import type { Condition } from './condition.ts';
import { BETS } from './evidence.ts';
import { History } from './history.ts';
import type { Slot } from './slot.ts';
import { readSpan } from './span.ts';

/**
 * The second in which the first of the bad requests was counted that tripped the condition: the first one in that part of
 * the slots, from some second until now, against which there is the most evidence. `undefined` when none was bad.
 */
export function firstBadSecond(
  condition: Condition,
  slots: readonly Slot[],
  nowSecond: number,
): number | undefined {
  const history = new History(slots, nowSecond);
  const { metric, windows, windowMs, over } = condition;
  if (metric === 'mirrorBacklog') {
    let first: number | undefined;
    for (const slot of history.newestFirst.slice(0, history.last(windows.of, windowMs))) {
      if (slot.mirrorBacklog === undefined) continue;
      if (over === undefined || slot.mirrorBacklog <= over) break;
      first = slot.second;
    }
    return first;
  }
  const { readings } = readSpan(condition, metric, history);
  const won = new Float64Array(BETS);
  let [most, start] = [0, 0];
  for (let at = readings.length - 1; at >= 0; at -= 1) {
    for (let bet = 0; bet < BETS; bet += 1) {
      won[bet] = (won[bet] ?? 0) + (readings[at]?.reading.wins[bet] ?? 0);
      if ((won[bet] ?? 0) > most) [most, start] = [won[bet] ?? 0, at];
    }
  }
  return readings.slice(start).find(({ reading }) => reading.bad > 0)?.slot.second;
}
