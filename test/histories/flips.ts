/**
 * Operators who move cohorts and users both ways as fast as it goes. Each asks whichever gateway answers; when the
 * answer is lost it asks again under the same key, until it knows what became of the change.
 */
import {
  type AdminAnswer,
  type ChangeDocument,
  callAdmin,
  insist,
  isChange,
  isOver,
  runJob,
} from './admin-api.ts';
import type { Audit } from './audit.ts';
import type { CohortAtStart, Ramp } from './checker/history.ts';
import { nowMs, pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';
import type { Seeded } from './seeded.ts';
import { type JobWish, jobRequest, type Request, requestOf, STAGES, type Wish } from './wishes.ts';

/** A change that has not ended by then will not: something is stuck. */
const OVER_MS = 90_000;
const WAIT_S = 2;
/** How long somebody else's change may be in the way before this one is given up. */
const IN_THE_WAY_MS = 4_000;

/** Answers that begin nothing, whoever asks again. */
const REFUSALS = ['change_refused', 'writes_stranded', 'writes_unknown'];

export type Outcome = 'done' | 'undone' | 'refused';

export interface FlipsPlan {
  readonly cohorts: readonly CohortAtStart[];
  /** By cohort, the ramps that it may have. */
  readonly ramps: { readonly [cohort: string]: readonly Ramp[] };
  /** By cohort, the plans that its rule may have; none for a cohort without a rule. */
  readonly rules: { readonly [cohort: string]: readonly (readonly string[])[] };
  readonly users: readonly string[];
  readonly pauseMs: readonly [least: number, most: number];
}

const POLICIES = { drain: 2, keep: 1, force: 4 };
const OF_COHORTS = { stage: 12, rollback: 3, rule: 2, reassign: 1 };
/** Users who are pinned or let go at the same time, and users of one job. */
const AT_A_TIME = 6;
const PINNING = ['one', 'two'];

export class Flips {
  readonly #gateways: readonly GatewayProcess[];
  readonly #random: Seeded;
  readonly #audit: Audit;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #broken = Promise.withResolvers<never>();
  #asked = 0;
  /** What was asked for and what came of it, and what undone changes said, without what differs each time. */
  readonly outcomes = new Map<string, number>();
  readonly undone = new Map<string, number>();

  constructor(gateways: readonly GatewayProcess[], random: Seeded, audit: Audit) {
    this.#gateways = gateways;
    this.#random = random;
    this.#audit = audit;
  }

  run(plan: FlipsPlan): void {
    const { signal } = this.#stop;
    const operator = async (name: string, act: (random: Seeded) => Promise<unknown>): Promise<void> => {
      const random = this.#random.fork(name);
      while (!signal.aborted) {
        await act(random);
        await pause(random.between(...plan.pauseMs), signal);
      }
    };
    this.#running = Promise.all([
      ...plan.cohorts.map(({ name }) => operator(name, (random) => this.#moveCohort(name, plan, random))),
      ...PINNING.map((name) => operator(`pins ${name}`, (random) => this.#pinSome(plan, random))),
      operator('members', (random) => this.#moveMembers(plan, random)),
    ]);
    this.#running.catch(this.#broken.reject);
  }

  /** Rejects when it cannot go on. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Resolves when every change that was begun is over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #moveCohort(cohort: string, { ramps, rules }: FlipsPlan, random: Seeded): Promise<unknown> {
    const dirtyUsers = random.weighted(POLICIES);
    const plans = rules[cohort] ?? [];
    const what = random.weighted(OF_COHORTS);
    if (what === 'rollback') return this.flip({ what, cohort, dirtyUsers }, random);
    if (what === 'rule' && plans.length > 0) {
      return this.flip({ what, cohort, plans: random.pick(plans), dirtyUsers }, random);
    }
    if (what === 'reassign') return this.job({ what, cohort, dirtyUsers }, random);
    const stage = random.weighted(STAGES);
    const ramp = random.chance(0.5) ? '100%' : random.pick(ramps[cohort] ?? ['100%']);
    return this.flip({ what: 'stage', cohort, stage, ramp, dirtyUsers }, random);
  }

  /** Those who were kept are let go sooner or later, else nobody would be moved any more. */
  async #pinSome({ users }: FlipsPlan, random: Seeded): Promise<void> {
    const { kept } = this.#audit;
    const chosen = new Set(
      Array.from({ length: 1 + random.below(AT_A_TIME) }, () => {
        const from = kept.size > 0 && random.chance(0.7) ? [...kept] : users;
        return random.pick(from);
      }),
    );
    await Promise.all(
      [...chosen].map(async (user) => {
        const own = random.fork(user);
        const dirtyUsers = own.weighted(POLICIES);
        const goes = kept.has(user) || own.chance(0.5);
        const wish: Wish = goes
          ? { what: 'unpin', user, dirtyUsers }
          : { what: 'pin', user, backend: own.chance(0.5) ? 'new' : 'legacy', dirtyUsers };
        const outcome = await this.flip(wish, own);
        if (outcome !== 'done') return;
        if (goes) kept.delete(user);
        else kept.add(user);
      }),
    );
  }

  async #moveMembers({ users, cohorts }: FlipsPlan, random: Seeded): Promise<void> {
    const cohort = random.pick(cohorts).name;
    const chosen = Array.from({ length: 1 + random.below(AT_A_TIME) }, () => random.pick(users));
    const what = random.chance(0.6) ? 'add' : 'remove';
    await this.job({ what, cohort, users: chosen, dirtyUsers: random.weighted(POLICIES) }, random);
  }

  #key(what: string): string {
    this.#asked += 1;
    const key = `${what}-${this.#asked}`;
    this.#audit.requested(key);
    return key;
  }

  #count(wish: { readonly what: string }, outcome: string): void {
    const name = `${wish.what} ${outcome}`;
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
  }

  /** Asks for one change and waits for its end. @throws when it does not end */
  async flip(wish: Wish, random = this.#random): Promise<Outcome> {
    const key = this.#key(wish.what);
    const order = shuffled(this.#gateways, random);
    const request = requestOf(wish, key);
    const givenUpMs = nowMs() + IN_THE_WAY_MS;
    const begun = await insist(order, OVER_MS, `an answer to ${key}`, (gateway) =>
      this.#ask(gateway, request, key, givenUpMs),
    );
    if (typeof begun === 'string') {
      this.#count(wish, begun);
      return 'refused';
    }
    const over = await insist(
      order,
      OVER_MS,
      `the end of change ${begun.id} (${begun.note})`,
      async (gateway) => {
        if (isOver(begun)) return begun;
        const { body } = await callAdmin(gateway, 'GET', `/api/v1/changes/${begun.id}`);
        return isChange(body) && isOver(body) ? body : undefined;
      },
    );
    this.#audit.over(over);
    const outcome = over.phase === 'done' ? 'done' : 'undone';
    this.#count(wish, outcome);
    if (outcome === 'undone') {
      const why = (over.note ?? '').replaceAll(/\([^)]*\)|\d[\d.]*/gu, '').slice(0, 100);
      this.undone.set(why, (this.undone.get(why) ?? 0) + 1);
    }
    return outcome;
  }

  /**
   * The change that it began, or why it began none. A request whose answer was lost may begin one later all the same:
   * then the audit has it.
   */
  async #ask(
    gateway: GatewayProcess,
    { method, path, body }: Request,
    key: string,
    givenUpMs: number,
  ): Promise<ChangeDocument | string | undefined> {
    const headers = { 'idempotency-key': key, prefer: `wait=${WAIT_S}` };
    const answer = await callAdmin(gateway, method, path, body, headers);
    const { code = '' } = answer.body;
    if (REFUSALS.includes(code) || (code === 'change_conflict' && nowMs() > givenUpMs)) return code;
    if (answer.status === 400 || answer.status === 404) throw new Error(`${method} ${path}: ${code}`);
    return this.#begun(gateway, answer);
  }

  async #begun(gateway: GatewayProcess, { status, body }: AdminAnswer): Promise<ChangeDocument | undefined> {
    const { change, code } = body;
    if ((status === 200 || status === 202) && isChange(change)) return change;
    if (code !== 'change_undone' || typeof change !== 'string') return undefined;
    const undone = await callAdmin(gateway, 'GET', `/api/v1/changes/${change}`);
    return isChange(undone.body) ? undone.body : undefined;
  }

  /** Runs a job; the audit knows its changes. A job that breaks off is not begun again. */
  async job(wish: JobWish, random = this.#random): Promise<string> {
    const key = this.#key(wish.what);
    const { method, path, text } = jobRequest(wish, key);
    const asked = shuffled(this.#gateways, random).find(({ runs, stopped }) => runs && !stopped);
    if (asked === undefined) return 'nobody to ask';
    let outcome = 'broken off';
    try {
      const { status, code } = await runJob(asked, method, path, text);
      outcome = code ?? `${status}`;
    } catch {
      // Its batch under way is finished or undone by somebody else.
    }
    this.#count(wish, outcome);
    return outcome;
  }
}

function shuffled<T>(list: readonly T[], random: Seeded): T[] {
  return list
    .map((each) => [random.next(), each] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each);
}
