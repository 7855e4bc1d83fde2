/**
 * The story of a night: everybody is on the new shop, it breaks, and nobody does anything. Told in words while it happens,
 * with the figures of what the users met, counted on their side.
 */
import { DemoError } from './demo-error.ts';
import { runTraffic } from './traffic/run-traffic.ts';
import type { Observation } from './traffic/tally.ts';

export interface StoryTrip {
  readonly id: string;
  readonly cohort: string;
  readonly trippedAt: Date;
  /** When the cohort was back everywhere. */
  readonly inForceAt: Date | undefined;
  /** The record in words. */
  readonly sentences: readonly string[];
}

/** What the story asks of the gateway. */
export interface StoryGateway {
  /** Moves a cohort to `live`, all of it. @throws when it is refused */
  goLive(cohort: string): Promise<void>;
  /** The same, for a cohort that may not. @returns why not; `undefined` when it may */
  whyNotLive(cohort: string): Promise<string | undefined>;
  /** Newest first. */
  trips(): Promise<readonly StoryTrip[]>;
  clear(cohort: string): Promise<void>;
}

export interface StoryOptions {
  readonly gatewayUrl: string;
  readonly gateway: StoryGateway;
  readonly newShop: { breakDown(): Promise<void>; mend(): Promise<void> };
  /** Requests a second, and how long each quiet part is; shorter in tests. */
  readonly rate: number;
  readonly calmMs: number;
  readonly signal: AbortSignal;
  /** Gets what there is to say, a line at a time. */
  readonly write: (line: string) => void;
}

const COHORTS = ['staff', 'beta', 'everyone'] as const;
/** The cohort of most users. */
const MAIN = 'everyone';
const TRAFFIC_S = 600;
const LOOK_MS = 100;
const SETTLE_LOOK_MS = 1_000;
const SETTLE_MAX_MS = 20_000;
/** For the large cohort. Small ones have few requests, and take longer to convince anybody. */
const BACK_MAX_MS = 30_000;
const SMALL_COHORTS_MS = 12_000;

interface Met {
  reads: number;
  readsFailed: number;
  /** Of users who had written to new: legacy does not have what they wrote. */
  readsOfWriters: number;
  readsOfWritersFailed: number;
  writes: number;
  writesFailed: number;
  byLegacy: number;
  byNew: number;
}

/** What the users have met since it was last asked. */
class UserSide {
  #met: Met = nothing();
  /** Who wrote to new, as far as anybody outside can know: a write without an answer may have arrived too. */
  readonly #writers = new Set<string>();

  get writers(): number {
    return this.#writers.size;
  }

  add({ user, method, answerer, status, failure }: Observation): void {
    const met = this.#met;
    const failed = failure !== undefined || status >= 500 ? 1 : 0;
    if (method !== 'GET') {
      met.writes += 1;
      met.writesFailed += failed;
      if (answerer !== 'legacy') this.#writers.add(user);
    } else if (this.#writers.has(user)) {
      met.readsOfWriters += 1;
      met.readsOfWritersFailed += failed;
    } else {
      met.reads += 1;
      met.readsFailed += failed;
    }
    if (answerer === 'legacy') met.byLegacy += 1;
    if (answerer === 'new') met.byNew += 1;
  }

  take(): Met {
    const met = this.#met;
    this.#met = nothing();
    return met;
  }
}

function nothing(): Met {
  return {
    reads: 0,
    readsFailed: 0,
    readsOfWriters: 0,
    readsOfWritersFailed: 0,
    writes: 0,
    writesFailed: 0,
    byLegacy: 0,
    byNew: 0,
  };
}

/** `360 requests, 0 failed` */
function inAll(met: Met): string {
  const failed = met.readsFailed + met.readsOfWritersFailed + met.writesFailed;
  return `${met.reads + met.readsOfWriters + met.writes} requests, ${failed} failed`;
}

/**
 * Tells it once, in about a minute.
 * @throws DemoError when it does not go as it should; what the gateway's calls throw
 */
export async function tellFailNew(options: StoryOptions): Promise<void> {
  const { gatewayUrl, rate, signal } = options;
  const users = new UserSide();
  const over = new AbortController();
  const traffic = runTraffic({
    url: new URL(gatewayUrl),
    rate,
    durationS: TRAFFIC_S,
    seed: 1,
    signal: AbortSignal.any([signal, over.signal]),
    write: () => undefined,
    onObservation: (observation) => users.add(observation),
  });
  // Its end is waited for below; a failure of it must not go unheard meanwhile.
  traffic.catch(() => undefined);
  try {
    await Promise.race([new Story(options, users).tell(), traffic.then(() => undefined)]);
  } finally {
    over.abort();
    await traffic;
  }
}

class Story {
  readonly #options: StoryOptions;
  readonly #users: UserSide;
  readonly #startedMs = Date.now();
  #brokenMs = 0;
  readonly #told = new Set<string>();

  constructor(options: StoryOptions, users: UserSide) {
    this.#options = options;
    this.#users = users;
  }

  async tell(): Promise<void> {
    await this.#calm();
    await this.#break();
    await this.#back();
    await this.#record();
    await this.#wellAgain();
  }

  /** With the time since the beginning, or since the new shop broke. */
  #say(text: string): void {
    const since = this.#brokenMs === 0 ? this.#startedMs : this.#brokenMs;
    const seconds = ((Date.now() - since) / 1_000).toFixed(1);
    this.#options.write(`${(this.#brokenMs === 0 ? seconds : `+${seconds}`).padStart(7)} s  ${text}`);
  }

  #more(text: string): void {
    this.#options.write(`${' '.repeat(11)}${text}`);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }

  async #calm(): Promise<void> {
    const { gateway, rate, calmMs } = this.#options;
    this.#say(`300 users shop, ${rate} requests a second, through the gateway.`);
    for (const cohort of COHORTS) await gateway.goLive(cohort);
    this.#say('Everybody was moved to the new shop: cohorts staff, beta and everyone are live.');
    await this.#settle();
    await this.#pause(calmMs);
    const met = this.#users.take();
    this.#say(`All is well: ${inAll(met)}; ${met.byNew} were answered by new.`);
  }

  /** What has just started answers slowly at first, on a busy machine very slowly: that is not what this is about. */
  async #settle(): Promise<void> {
    for (let waited = 0; waited < SETTLE_MAX_MS && !this.#options.signal.aborted; waited += SETTLE_LOOK_MS) {
      this.#users.take();
      await this.#pause(SETTLE_LOOK_MS);
      const { reads, readsFailed, writesFailed, readsOfWritersFailed } = this.#users.take();
      if (reads > 0 && readsFailed + writesFailed + readsOfWritersFailed === 0) return;
    }
  }

  async #break(): Promise<void> {
    this.#more('');
    await this.#options.newShop.breakDown();
    this.#brokenMs = Date.now();
    this.#say('THE NEW SHOP BREAKS: its process is killed. From here on nobody touches anything.');
  }

  /** Says each step as it is seen. @returns the newest trip of each cohort */
  async #look(): Promise<ReadonlyMap<string, StoryTrip>> {
    const trips = await this.#options.gateway.trips();
    const newest = new Map(trips.toReversed().map((trip) => [trip.cohort, trip]));
    for (const { id, cohort, trippedAt, inForceAt } of trips.toReversed()) {
      this.#sayOnce(
        `${id} tripped`,
        trippedAt,
        `The guard has seen enough: it trips for cohort ${cohort}, and sends it back.`,
      );
      if (inForceAt !== undefined) {
        this.#sayOnce(`${id} in force`, inForceAt, `${cohort} is back on legacy, in every gateway.`);
      }
    }
    return newest;
  }

  #sayOnce(key: string, at: Date, text: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const seconds = `+${(Math.max(0, at.getTime() - this.#brokenMs) / 1_000).toFixed(1)}`;
    this.#options.write(`${seconds.padStart(7)} s  ${text}`);
  }

  async #back(): Promise<void> {
    const { signal } = this.#options;
    const isBack = (trips: ReadonlyMap<string, StoryTrip>, cohort: string) =>
      trips.get(cohort)?.inForceAt !== undefined;
    for (;;) {
      const trips = await this.#look();
      const passedMs = Date.now() - this.#brokenMs;
      if (signal.aborted || COHORTS.every((cohort) => isBack(trips, cohort))) break;
      if (isBack(trips, MAIN) && passedMs > SMALL_COHORTS_MS) break;
      if (passedMs > BACK_MAX_MS) {
        throw new DemoError('the guard did not go back: the log above may say why');
      }
      await this.#pause(LOOK_MS);
    }
    if (signal.aborted) return;
    const met = this.#users.take();
    this.#say('What the users met since it broke:');
    this.#more(
      `${met.reads} reads, ${met.readsFailed} failed: what new did not answer was asked of legacy at once.`,
    );
    this.#more(
      `${met.writes} writes, ${met.writesFailed} failed: a write is never sent to a shop that does not own its user.`,
    );
    if (met.readsOfWriters === 0) return;
    this.#more(
      `${met.readsOfWriters} reads of ${this.#users.writers} users who had written to new, ${met.readsOfWritersFailed} failed: legacy does not have what they`,
    );
    this.#more('wrote, and nobody is shown old data. They wait for new; nothing that they wrote is lost.');
  }

  async #record(): Promise<void> {
    const { gateway, write, signal } = this.#options;
    const trip = (await this.#look()).get(MAIN);
    if (trip === undefined || signal.aborted) return;
    write('');
    this.#say('In the morning somebody asks why. "turnout guard show" says:');
    for (const sentence of trip.sentences) this.#more(`  ${sentence}`);
    const refused = await gateway.whyNotLive(MAIN);
    write('');
    this.#say('Somebody in a hurry sends everyone to new again, and is refused:');
    this.#more(`  ${refused ?? 'it was let through'}`);
  }

  async #wellAgain(): Promise<void> {
    const { gateway, newShop, write, calmMs, signal } = this.#options;
    if (signal.aborted) return;
    write('');
    await newShop.mend();
    this.#say(
      'The new shop is mended. Those who stayed there are served again; all others are still on legacy.',
    );
    // What was under way when it came back is not counted.
    await this.#pause(1_000);
    this.#users.take();
    await this.#pause(calmMs / 2);
    const met = this.#users.take();
    this.#say(`${inAll(met)}; legacy answered ${met.byLegacy}, new ${met.byNew}.`);
    for (const cohort of (await this.#look()).keys()) {
      await gateway.clear(cohort);
      this.#say(`turnout guard clear ${cohort} --reason 'the new shop is mended'`);
    }
    this.#more(
      'Now they may go live again, when a person says so: turnout stage everyone live --ramp 1% --reason …',
    );
  }
}
