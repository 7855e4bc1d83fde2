/**
 * The traffic generator: some hundred users, each with a visit under way, send reads and writes to a gateway.
 * Bounded in rate, in requests in flight and in time. What each user does depends on the seed only; how the
 * users interleave depends on how fast they are answered.
 */
import { Agent } from '../../node-http.ts';
import { DemoError } from '../demo-error.ts';
import { SAMPLE_USERS } from '../shop/sample-data.ts';
import { between, pick, seededRandom } from '../shop/seeded-random.ts';
import { userKey } from '../shop/user-key.ts';
import { sendStep } from './send-step.ts';
import { type Observation, Tally } from './tally.ts';
import { type Step, userPlan, userSteps } from './user-steps.ts';

export const TRAFFIC_RATE_MAX = 2_000;
export const TRAFFIC_DURATION_MAX_S = 86_400;

export interface TrafficOptions {
  /** The gateway; its scheme is http. */
  readonly url: URL;
  /** Requests a second, 1 to 2,000. */
  readonly rate: number;
  /** More than 0, at most a day. */
  readonly durationS: number;
  readonly seed: number;
  /** Requests that wait for their answer at one time. */
  readonly inFlightMax?: number;
  /** Between two summary lines. */
  readonly reportMs?: number;
  /** Stops it early. */
  readonly signal: AbortSignal;
  /** Hears of every request that is over. */
  readonly onObservation?: (observation: Observation) => void;
  /** Gets the summary lines and the final table, without line ends. */
  readonly write: (line: string) => void;
}

interface Visitor {
  readonly number: number;
  readonly steps: Generator<Step, never>;
}

const IN_FLIGHT_MAX = 256;
const REPORT_MS = 5_000;
const TICK_MS = 10;
/** How far the generator may lag behind its rate and still catch up, in milliseconds. */
const CATCH_UP_MS = 100;
/** Requests of a long visit. */
const VISIT_STEPS = 11;
/** How long requests in flight may take at the end. */
const DRAIN_MS = 5_000;

/**
 * Runs until the time is over or the signal stops it, and resolves with what was counted.
 * @throws RangeError for options out of bounds; DemoError when nothing answers at `url`.
 */
export async function runTraffic(options: TrafficOptions): Promise<Tally> {
  const { url, rate, durationS, seed, signal, write } = options;
  checkBounds(options);
  const inFlightMax = options.inFlightMax ?? IN_FLIGHT_MAX;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightMax });
  const cut = new AbortController();
  try {
    await expectAnswer(url, agent, signal);
    write(
      `${SAMPLE_USERS} users, ${rate} requests/s for ${durationS} s, against ${url.origin} (seed ${seed})`,
    );
    return await play(options, inFlightMax, agent, cut);
  } finally {
    cut.abort();
    agent.destroy();
  }
}

async function play(
  { url, rate, durationS, seed, signal, write, onObservation, reportMs = REPORT_MS }: TrafficOptions,
  inFlightMax: number,
  agent: Agent,
  cut: AbortController,
): Promise<Tally> {
  const tally = new Tally();
  const idle = visitors(seed);
  const inFlight = new Set<Promise<void>>();
  const startedMs = performance.now();
  let reportedMs = startedMs;
  let begun = 0;
  let skipped = 0;

  const begin = (visitor: Visitor): void => {
    const user = userKey(visitor.number);
    const caller = { url, agent, user, plan: userPlan(visitor.number), signal: cut.signal };
    const sent = sendStep(visitor.steps.next().value, caller).then((observation) => {
      tally.add(observation);
      onObservation?.(observation);
      inFlight.delete(sent);
      idle.push(visitor);
    });
    inFlight.add(sent);
    begun += 1;
  };
  const report = (nowMs: number): void => {
    write(tally.line((nowMs - startedMs) / 1000, (nowMs - reportedMs) / 1000));
    reportedMs = nowMs;
  };
  const tick = (): void => {
    const nowMs = performance.now();
    const due = Math.floor((Math.min(nowMs - startedMs, durationS * 1000) * rate) / 1000);
    while (begun + skipped < due && inFlight.size < inFlightMax) {
      const visitor = idle.shift();
      if (visitor === undefined) break;
      begin(visitor);
    }
    // What could not be sent in time is left out: a gateway that was stuck is not flooded when it is back.
    skipped += Math.max(0, due - begun - skipped - Math.ceil((rate * CATCH_UP_MS) / 1000));
    if (nowMs - reportedMs >= reportMs) report(nowMs);
  };

  await every(TICK_MS, durationS * 1000, signal, tick);
  await Promise.race([Promise.all(inFlight), after(DRAIN_MS, cut.signal)]);
  cut.abort();
  await Promise.all(inFlight);
  report(performance.now());
  write('');
  for (const line of tally.table()) write(line);
  if (skipped > 0) write(`${skipped} requests were not sent: the answers came too slowly for this rate`);
  return tally;
}

function checkBounds({ url, rate, durationS }: TrafficOptions): void {
  if (url.protocol !== 'http:') throw new RangeError(`the traffic goes to http:// only, not to ${url.href}`);
  if (!(rate >= 1 && rate <= TRAFFIC_RATE_MAX)) throw new RangeError(`the rate is 1 to ${TRAFFIC_RATE_MAX}`);
  if (!(durationS > 0 && durationS <= TRAFFIC_DURATION_MAX_S)) {
    throw new RangeError(`the duration is up to ${TRAFFIC_DURATION_MAX_S} s`);
  }
}

/**
 * All users in an order that the seed decides, each somewhere in a visit: there are requests of every kind from the
 * first second on. Were all of them at its beginning, nobody would come to the orders within half a minute.
 */
function visitors(seed: number): Visitor[] {
  const random = seededRandom(seed);
  const numbers = new Set(Array.from({ length: SAMPLE_USERS }, (_, index) => index + 1));
  const shuffled: Visitor[] = [];
  while (numbers.size > 0) {
    const number = pick(random, [...numbers]);
    numbers.delete(number);
    const steps = userSteps(seed, number);
    for (let passed = between(random, 0, VISIT_STEPS); passed > 0; passed -= 1) steps.next();
    shuffled.push({ number, steps });
  }
  return shuffled;
}

async function expectAnswer(url: URL, agent: Agent, signal: AbortSignal): Promise<void> {
  const step: Step = { name: 'search', method: 'GET', path: '/api/search?q=mug' };
  const { failure } = await sendStep(step, { url, agent, user: userKey(1), plan: userPlan(1), signal });
  if (failure === undefined || signal.aborted) return;
  throw new DemoError(`no gateway answers at ${url.origin} (${failure}); start one with: npm start`);
}

/** Calls `tick` every `periodMs` until the time is over or the signal stops it; once more at the end. */
function every(periodMs: number, durationMs: number, signal: AbortSignal, tick: () => void): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearInterval(interval);
      clearTimeout(timeout);
      signal.removeEventListener('abort', finish);
      if (!signal.aborted) tick();
      resolve();
    };
    const interval = setInterval(tick, periodMs);
    const timeout = setTimeout(finish, durationMs);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

/** Resolves after the time, or when the signal says that nobody waits any more. */
function after(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
