/**
 * The writes that were decided and have not ended, by cohort and by user. A hold has drained when none is left:
 * the hold is in force in the turn in which it is applied, so no later write joins them.
 *
 * A write is counted in the turn in which it is decided; only so can no write slip between decision and count.
 * Reads are not counted. One count costs a few increments and two operations on a map of the users in flight. The
 * counts of a cohort are kept by route, so that whoever waits for a drain can be told where it hangs.
 *
 * Writes whose user is marked as somebody who wrote to `new` are counted apart: a change that keeps such users where
 * they are need not wait for them. A hold has *settled* when no other write is left.
 */
import type { CountedWrite, WriteCount } from '../intake/counted-write.ts';
import type { User } from '../model.ts';

/** Those without a mark. */
class CohortWrites implements WriteCount {
  readonly #all: InFlightWrites;
  readonly #unplaced: boolean;
  readonly kept: KeptWrites;
  count = 0;

  constructor(all: InFlightWrites, unplaced: boolean) {
    this.#all = all;
    this.#unplaced = unplaced;
    this.kept = new KeptWrites(all, unplaced);
  }

  leave(user: User): void {
    this.count -= 1;
    this.#all.left(user, this.#unplaced ? 'unplaced' : undefined, this.count === 0);
  }

  marked(): WriteCount {
    this.count -= 1;
    this.kept.count += 1;
    this.#all.marked(this.#unplaced, this.count === 0);
    return this.kept;
  }
}

/** Those whose user is marked. */
class KeptWrites implements WriteCount {
  readonly #all: InFlightWrites;
  readonly #unplaced: boolean;
  count = 0;

  constructor(all: InFlightWrites, unplaced: boolean) {
    this.#all = all;
    this.#unplaced = unplaced;
  }

  leave(user: User): void {
    this.count -= 1;
    this.#all.left(user, this.#unplaced ? 'kept-unplaced' : undefined, this.count === 0);
  }

  marked(): WriteCount {
    return this;
  }
}

interface Counts {
  readonly placed: CohortWrites;
  readonly unplaced: CohortWrites;
}

/** Writes of users without a membership, with a mark or without one. */
type Unplaced = 'unplaced' | 'kept-unplaced' | undefined;

interface Waiting {
  readonly cohort: string;
  readonly unplacedToo: boolean;
  readonly settledOnly: boolean;
  readonly resolve: () => void;
}

type RouteCounts = Map<string, Counts>;

/** The count of users who belong to no cohort. No cohort's name is empty. */
const NO_COHORT = '';

export class InFlightWrites {
  /** By cohort and route. */
  readonly #cohorts = new Map<string, RouteCounts>();
  readonly #users = new Map<User, number>();
  #waiting: readonly Waiting[] = [];
  readonly #waitingUsers = new Map<User, (() => void)[]>();
  #unplaced = 0;
  #keptUnplaced = 0;
  #total = 0;

  /**
   * Counts a write from now on; one that is counted already moves.
   *
   * @param placed false for a user whom the attributes of the request put into the cohort, not a membership or
   *   a pin: other attributes could put the same user into another
   * @param route the name of the route that it came by
   */
  enter(write: CountedWrite, user: User, cohort: string | undefined, placed: boolean, route = ''): void {
    const name = cohort ?? NO_COHORT;
    const counts = this.#cohorts.get(name)?.get(route) ?? this.#add(name, route);
    const count = placed ? counts.placed : counts.unplaced;
    const before = write.countedIn;
    if (before === count) return;
    count.count += 1;
    if (!placed) this.#unplaced += 1;
    this.#total += 1;
    this.#users.set(user, (this.#users.get(user) ?? 0) + 1);
    write.countedIn = count;
    before?.leave(user);
  }

  #add(cohort: string, route: string): Counts {
    const counts = { placed: new CohortWrites(this, false), unplaced: new CohortWrites(this, true) };
    const routes = this.#cohorts.get(cohort) ?? new Map<string, Counts>();
    this.#cohorts.set(cohort, routes.set(route, counts));
    return counts;
  }

  /** The exchange has ended. Nothing happens for one that is not counted. */
  end(write: CountedWrite, user: User | undefined): void {
    const { countedIn } = write;
    if (countedIn === undefined || user === undefined) return;
    write.countedIn = undefined;
    countedIn.leave(user);
  }

  /** For the counts: one of their writes has left. */
  left(user: User, unplaced: Unplaced, last: boolean): void {
    this.#total -= 1;
    if (unplaced === 'unplaced') this.#unplaced -= 1;
    if (unplaced === 'kept-unplaced') this.#keptUnplaced -= 1;
    const ofUser = this.#users.get(user) ?? 0;
    if (ofUser > 1) this.#users.set(user, ofUser - 1);
    else this.#users.delete(user);
    if (last || unplaced !== undefined) this.#wake();
    if (ofUser <= 1 && this.#waitingUsers.size > 0) this.#wakeUser(user);
  }

  /** For the counts: one of their writes has a mark now. */
  marked(unplaced: boolean, last: boolean): void {
    if (unplaced) {
      this.#unplaced -= 1;
      this.#keptUnplaced += 1;
    }
    if (last || unplaced) this.#wake();
  }

  get total(): number {
    return this.#total;
  }

  /** Of users whom only the attributes of their request put where they were sent. */
  get unplaced(): number {
    return this.#unplaced + this.#keptUnplaced;
  }

  /** Of those, without a mark. */
  get unsettledUnplaced(): number {
    return this.#unplaced;
  }

  ofCohort(cohort: string): number {
    let count = this.unsettledOf(cohort);
    for (const { placed, unplaced } of this.#cohorts.get(cohort)?.values() ?? [])
      count += placed.kept.count + unplaced.kept.count;
    return count;
  }

  /** Of those, without a mark. */
  unsettledOf(cohort: string): number {
    let count = 0;
    for (const { placed, unplaced } of this.#cohorts.get(cohort)?.values() ?? [])
      count += placed.count + unplaced.count;
    return count;
  }

  /** The names of the routes by which writes of the cohort are in flight. @param unplacedToo as of `whenDrained` */
  routesOf(cohort: string, unplacedToo: boolean): readonly string[] {
    const routes = new Set<string>();
    for (const [name, counts] of this.#cohorts) {
      for (const [route, { placed, unplaced }] of counts) {
        const unplacedHere = unplaced.count + unplaced.kept.count;
        const mine = name === cohort && placed.count + placed.kept.count + unplacedHere > 0;
        if (mine || (unplacedToo && unplacedHere > 0)) routes.add(route);
      }
    }
    return [...routes];
  }

  ofUser(user: User): number {
    return this.#users.get(user) ?? 0;
  }

  /**
   * Resolves when no write of the cohort is in flight. Only of use while its writes are held.
   *
   * @param unplacedToo waits for every unplaced write, of whatever cohort, as well
   */
  whenDrained(cohort: string, unplacedToo = false): Promise<void> {
    return this.#when({ cohort, unplacedToo, settledOnly: false });
  }

  /** The same for writes without a mark. */
  whenSettled(cohort: string, unplacedToo = false): Promise<void> {
    return this.#when({ cohort, unplacedToo, settledOnly: true });
  }

  #when(wanted: Omit<Waiting, 'resolve'>): Promise<void> {
    if (this.#drained(wanted)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = [...this.#waiting, { ...wanted, resolve }];
    });
  }

  /** Resolves when no write of the user is in flight. Only of use while its writes are held. */
  whenUserDrained(user: User): Promise<void> {
    if (this.ofUser(user) === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waitingUsers.set(user, [...(this.#waitingUsers.get(user) ?? []), resolve]);
    });
  }

  #wakeUser(user: User): void {
    const waiting = this.#waitingUsers.get(user);
    this.#waitingUsers.delete(user);
    for (const resolve of waiting ?? []) resolve();
  }

  #drained({ cohort, unplacedToo, settledOnly }: Omit<Waiting, 'resolve'>): boolean {
    const mine = settledOnly ? this.unsettledOf(cohort) : this.ofCohort(cohort);
    return mine + (unplacedToo ? (settledOnly ? this.unsettledUnplaced : this.unplaced) : 0) === 0;
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const over = this.#waiting.filter((each) => this.#drained(each));
    if (over.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !over.includes(each));
    for (const { resolve } of over) resolve();
  }
}
