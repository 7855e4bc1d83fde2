/** How many reads may be answered by the other backend at a time, and who waits for a turn. */

export interface FallbackSettings {
  readonly enabled: boolean;
  /** Of the reads in flight, 0 to 1. */
  readonly share: number;
  /** So many at a time, however few reads are in flight. */
  readonly inFlightMin: number;
  /** How long one waits for its turn. */
  readonly waitMs: number;
}

/** Reads that wait for a turn. */
const WAITING_MAX = 1_000;

/** What a read has of the budget: a place in the queue, then a turn. */
export interface Turn {
  /** Resolves with whether it is this read's turn; false when it waited too long, or too many do. */
  readonly granted: Promise<boolean>;
  /** Gives the place or the turn back. Any number of times. */
  end(): void;
}

class QueuedTurn implements Turn {
  readonly granted: Promise<boolean>;
  readonly #settle: (granted: boolean) => void;
  readonly #onEnd: (turn: QueuedTurn) => void;
  state: 'waiting' | 'on' | 'over' = 'waiting';
  /** Where it stands in the queue. */
  place = -1;
  timer: NodeJS.Timeout | undefined;

  constructor(onEnd: (turn: QueuedTurn) => void) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.granted = promise;
    this.#settle = resolve;
    this.#onEnd = onEnd;
  }

  /** It is its turn, or never will be. */
  decide(granted: boolean): void {
    clearTimeout(this.timer);
    this.state = granted ? 'on' : 'over';
    this.#settle(granted);
  }

  end(): void {
    this.#onEnd(this);
  }
}

export class FallbackBudget {
  settings: FallbackSettings;
  readonly #reads: () => number;
  /** In the order in which they came, with holes; not a `Set`, for the reason that `roster.ts` has. */
  #queue: (QueuedTurn | undefined)[] = [];
  #head = 0;
  #waiting = 0;
  #on = 0;

  /** @param reads in flight in this process, those that wait here included */
  constructor(settings: FallbackSettings, reads: () => number) {
    this.settings = settings;
    this.#reads = reads;
  }

  /** Reads whose turn it is. */
  get on(): number {
    return this.#on;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Asks for a turn, which is granted in the order of asking. */
  ask(): Turn {
    const turn = new QueuedTurn((each) => this.#end(each));
    if (this.#waiting >= WAITING_MAX) {
      turn.decide(false);
      return turn;
    }
    this.#enqueue(turn);
    // More reads in flight allow for more: those that wait may go on, too.
    this.#grant();
    if (turn.state === 'waiting') turn.timer = setTimeout(() => turn.end(), this.settings.waitMs);
    return turn;
  }

  #grant(): void {
    const { share, inFlightMin } = this.settings;
    const most = Math.max(inFlightMin, Math.floor(share * this.#reads()));
    while (this.#waiting > 0 && this.#on < most) {
      const turn = this.#queue[this.#head];
      this.#head += 1;
      if (turn === undefined) continue;
      this.#leave(turn);
      this.#on += 1;
      turn.decide(true);
    }
  }

  #enqueue(turn: QueuedTurn): void {
    if (this.#waiting === 0 || this.#queue.length >= 2 * WAITING_MAX) this.#closeRanks();
    turn.place = this.#queue.push(turn) - 1;
    this.#waiting += 1;
  }

  #leave(turn: QueuedTurn): void {
    this.#queue[turn.place] = undefined;
    this.#waiting -= 1;
  }

  #closeRanks(): void {
    this.#queue = this.#queue.filter((turn) => turn !== undefined);
    this.#head = 0;
    for (const [place, turn] of this.#queue.entries()) if (turn !== undefined) turn.place = place;
  }

  #end(turn: QueuedTurn): void {
    if (turn.state === 'over') return;
    if (turn.state === 'waiting') {
      this.#leave(turn);
      turn.decide(false);
      return;
    }
    turn.state = 'over';
    this.#on -= 1;
    this.#grant();
  }
}
