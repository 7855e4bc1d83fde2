/**
 * Proves for each user of a history:
 *
 *   1  the owner changes only where a change was made, and the owners follow each other as the changes did
 *   2  all writes that the old owner applied come before the first of the new one, and none that was on its way is
 *      applied by a backend that has lost the user
 *   3  outside of a change every write goes to the owner and to nobody else
 *   4  no read is answered from the old truth when a write to the new one was acknowledged before it began. Before that, one
 *      may be that the new backend failed to answer
 *   5  an acknowledged write is in the log of its owner exactly once, one of unknown outcome at most once, a refused
 *      one nowhere
 *   6  nobody whose writes are in `new` is taken back to `legacy`, unless the change was forced
 *   7  a change that was undone has moved nobody
 *
 * It trusts the audit for what was wanted and whether it was done, and for nothing else.
 */
import { checkChanges } from './check-changes.ts';
import { checkReads, fallbacksOf } from './check-reads.ts';
import { checkStranded } from './check-stranded.ts';
import { checkValues } from './check-values.ts';
import { checkWrites, type Undone } from './check-writes.ts';
import type { Applied, Change, History, Operation, UserAtStart, Violation } from './history.ts';
import { ordersOf } from './orders.ts';
import { inOrder } from './owners.ts';
import { likeliestWay, type UserEvents, type Way } from './ways.ts';

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
}

/** What a run has gone through: a history in which nothing happened proves nothing. */
export interface Counts {
  readonly writes: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly reads: number;
  readonly done: number;
  readonly undone: number;
  /** How often the owner of a user changed, over all users. */
  readonly moves: number;
  /** Writes that were applied while a change of their user's owner was made. */
  readonly duringChanges: number;
  /** Reads that `legacy` answered for users of `new`. */
  readonly fallbacks: number;
}

export function checkHistory(history: History): Verdict {
  const { changes, users, applied, operations } = history;
  const byUser = eventsByUser(history);
  const violations: Violation[] = [...checkChanges(history), ...checkValues(applied, operations)];
  let moves = 0;
  let duringChanges = 0;
  let fallbacks = 0;
  const done = inOrder(changes);
  const undone = changes
    .filter(({ outcome }) => outcome === 'undone')
    .map((change) => ({
      change,
      cohort: history.cohorts.find(({ name }) => change.kind === 'cohort' && name === change.cohort),
    }));
  for (const user of users) {
    const events = byUser.get(user.user) ?? { applied: [], operations: [] };
    const checked = checkUser(history, user, events, done, undone);
    violations.push(...checked.violations);
    moves += checked.moves;
    duringChanges += checked.duringChanges;
    fallbacks += checked.fallbacks;
  }
  return { violations, counts: { ...countsOf(history), moves, duringChanges, fallbacks } };
}

/**
 * A user without a membership was given one by its first request that mattered, and nobody noted which. So the history
 * is right if it is right for one of the ways in which that can have gone.
 */
function checkUser(
  history: History,
  user: UserAtStart,
  events: UserEvents,
  done: readonly Change[],
  undone: readonly Undone[],
) {
  let best: Judged | undefined;
  for (const order of ordersOf(user, done)) {
    const judged = judgeWay(history, user, events, undone, likeliestWay(user, history, order, events));
    if (best === undefined || judged.violations.length < best.violations.length) best = judged;
    if (best.violations.length === 0) break;
  }
  if (best === undefined) throw new Error(`there is no order of the changes of ${user.user}`);
  return best;
}

interface Judged {
  readonly violations: readonly Violation[];
  readonly moves: number;
  readonly duringChanges: number;
  readonly fallbacks: number;
}

function judgeWay(
  history: History,
  user: UserAtStart,
  events: UserEvents,
  undone: readonly Undone[],
  way: Way,
): Judged {
  const { eras } = way;
  const writes = checkWrites(user, eras, events.applied, undone);
  const reads = checkReads(eras, writes.placed, events.operations);
  const stranded = history.strandingForbidden ? checkStranded(eras, writes.placed, events.operations) : [];
  const inEras = new Map(writes.placed.map(({ write, era }) => [write, eras[era]]));
  return {
    violations: [...way.violations, ...writes.violations, ...reads, ...stranded],
    moves: eras.length - 1,
    duringChanges: [...inEras].filter(
      ([write, era]) => era !== undefined && (write.beganMs < era.byMs || write.appliedMs > era.untilMs),
    ).length,
    fallbacks: fallbacksOf(eras, events.operations),
  };
}

function eventsByUser({ users, applied, operations }: History): ReadonlyMap<string, UserEvents> {
  const byUser = new Map<string, { readonly applied: Applied[]; readonly operations: Operation[] }>(
    users.map(({ user }) => [user, { applied: [], operations: [] }]),
  );
  for (const write of applied) byUser.get(write.user)?.applied.push(write);
  for (const operation of operations) byUser.get(operation.user)?.operations.push(operation);
  for (const events of byUser.values()) events.applied.sort((a, b) => a.appliedSeq - b.appliedSeq);
  return byUser;
}

function countsOf({ applied, operations, changes }: History) {
  const writes = operations.filter((each) => each.kind === 'write');
  const outcomes = (outcome: string): number => writes.filter((each) => each.outcome === outcome).length;
  const changed = (outcome: string): number => changes.filter((each) => each.outcome === outcome).length;
  return {
    writes: applied.length,
    acknowledged: outcomes('ok'),
    refused: outcomes('failed'),
    unknown: outcomes('unknown'),
    reads: operations.length - writes.length,
    done: changed('done'),
    undone: changed('undone'),
  };
}
