/** Counts what a gateway sends to the backends, by cohort, backend and user group. */
import type { Backend, User } from '../model.ts';
import { Attempt, type CountingSettings, OpenAttempts } from './open-attempts.ts';
import { SideCounts, type SideTotals } from './side-counts.ts';
import type { GatewayReport, SideReport } from './slot-feed.ts';
import { userGroup } from './user-group.ts';

const BACKENDS: readonly Backend[] = ['legacy', 'new'];

/** A cohort of which nothing was counted for this long is let go, milliseconds. */
const IDLE_MS = 3_600_000;

/** The attempts of one cohort at one backend, since the start of the process. */
export interface CohortTotals extends Readonly<SideTotals> {
  readonly cohort: string;
  readonly backend: Backend;
}

interface CohortSides {
  countedMs: number;
  legacy: SideCounts | undefined;
  new: SideCounts | undefined;
}

export class AttemptCounter {
  readonly #open: OpenAttempts;
  readonly #cohorts = new Map<string, CohortSides>();

  /** @param now the clock by which attempts begin: monotonic, milliseconds */
  constructor(settings: CountingSettings, now: () => number) {
    this.#open = new OpenAttempts(settings, now);
  }

  /** Takes effect for requests under way too. */
  reconfigure(settings: CountingSettings): void {
    this.#open.settings = settings;
  }

  /** A request is handed to a backend. @param nowMs of the counter's clock; never less than before */
  begin(cohort: string, backend: Backend, user: User, nowMs: number): Attempt {
    return new Attempt(this.#open, this.#side(cohort, backend), userGroup(user), this.#open.ownTime(nowMs));
  }

  /** A read was compared, and the difference, if there is one, read again. */
  compared(cohort: string, user: User, isMismatch: boolean): void {
    this.#side(cohort, 'new').compared(userGroup(user), isMismatch);
  }

  #side(cohort: string, backend: Backend): SideCounts {
    let sides = this.#cohorts.get(cohort);
    if (sides === undefined) {
      sides = { countedMs: this.#open.now(), legacy: undefined, new: undefined };
      this.#cohorts.set(cohort, sides);
    }
    return (sides[backend] ??= new SideCounts());
  }

  /** To be called every `TICK_MS`, not more often: when it comes late, the process stood still, and that time is nobody's latency. */
  ticked(): void {
    this.#open.ticked();
  }

  /** What was counted since the last call. Requests that have come of age meanwhile are counted as stalled first. */
  drain(): GatewayReport['cohorts'] {
    this.#open.sweep();
    const nowMs = this.#open.now();
    const cohorts = new Map<string, { legacy?: SideReport; new?: SideReport }>();
    for (const [cohort, sides] of this.#cohorts) {
      const legacy = sides.legacy?.drain();
      const fresh = sides.new?.drain();
      if (legacy === undefined && fresh === undefined) {
        if (nowMs - sides.countedMs > IDLE_MS) this.#cohorts.delete(cohort);
        continue;
      }
      sides.countedMs = nowMs;
      cohorts.set(cohort, {
        ...(legacy === undefined ? {} : { legacy }),
        ...(fresh === undefined ? {} : { new: fresh }),
      });
    }
    return cohorts;
  }

  /** As of the last `drain`. */
  totals(): CohortTotals[] {
    return [...this.#cohorts].flatMap(([cohort, sides]) =>
      BACKENDS.flatMap((backend) => {
        const side = sides[backend];
        return side === undefined ? [] : [{ cohort, backend, ...side.totals }];
      }),
    );
  }
}
