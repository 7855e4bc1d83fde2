/** One comparison a turn of the event loop, so that users' requests come in between. */

/** Bodies over this are compared only while the loop is not late, bytes of both sides. */
const LARGE_BYTES = 262_144;
/** How long a large one waits for that. */
const LARGE_WAIT_MS = 1_000;
const RETRY_MS = 20;

interface Turn {
  readonly sinceMs: number;
  /** @param granted false: there will be no turn for it */
  readonly resolve: (granted: boolean) => void;
}

export class ComparisonTurns {
  readonly #small: Turn[] = [];
  readonly #large: Turn[] = [];
  readonly #lagging: () => boolean;
  readonly #now: () => number;
  #immediate: NodeJS.Immediate | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(lagging: () => boolean, now: () => number) {
    this.#lagging = lagging;
    this.#now = now;
  }

  /**
   * Resolves in a turn in which no other comparison is made: the caller has to make its own in that very turn.
   *
   * @param bytes of both bodies
   * @returns false: the loop was late for too long, or this side is stopping
   */
  next(bytes: number): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      (bytes > LARGE_BYTES ? this.#large : this.#small).push({ sinceMs: this.#now(), resolve });
      this.#schedule();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#immediate);
    clearTimeout(this.#retry);
    for (const turn of [...this.#small.splice(0), ...this.#large.splice(0)]) turn.resolve(false);
  }

  #schedule(): void {
    this.#immediate ??= setImmediate(() => this.#grant());
  }

  #grant(): void {
    this.#immediate = undefined;
    const turn = this.#small.shift() ?? this.#largeTurn();
    turn?.resolve(true);
    if (this.#small.length > 0) this.#schedule();
    else if (this.#large.length > 0) this.#scheduleLarge(turn !== undefined);
  }

  #largeTurn(): Turn | undefined {
    if (!this.#lagging()) return this.#large.shift();
    const late = this.#now() - LARGE_WAIT_MS;
    while (this.#large[0] !== undefined && this.#large[0].sinceMs < late) this.#large.shift()?.resolve(false);
    return undefined;
  }

  #scheduleLarge(mayGoOn: boolean): void {
    if (mayGoOn) this.#schedule();
    else {
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#schedule();
      }, RETRY_MS);
    }
  }
}
