/**
 * Operators, one for each cohort, who move it both ways as fast as it goes. Each asks whichever gateway answers; when
 * the answer is lost it asks again under the same key, until it knows what became of the change.
 */
import { type AdminAnswer, type ChangeDocument, callAdmin, insist, isChange, isOver } from './admin-api.ts';
import type { Change, CohortAtStart, Stage, StageAndRamp } from './checker/history.ts';
import { nowMs, pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';
import type { Seeded } from './seeded.ts';

/** A change that has not ended by then will not: something is stuck. */
const OVER_MS = 90_000;
const WAIT_S = 2;

export interface Wish extends StageAndRamp {
  readonly cohort: string;
}

export interface FlipsPlan {
  readonly cohorts: readonly CohortAtStart[];
  /** By cohort, the ramps that it may have. */
  readonly ramps: { readonly [cohort: string]: readonly (string | number)[] };
  readonly pauseMs: readonly [least: number, most: number];
}

const STAGES: { readonly [S in Stage]: number } = {
  off: 2,
  dualwrite: 1,
  shadow: 4,
  live: 6,
  rampdown: 3,
  complete: 1,
};

export class Flips {
  readonly #gateways: readonly GatewayProcess[];
  readonly #random: Seeded;
  readonly #note: (change: Change) => void;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #broken = Promise.withResolvers<never>();
  #asked = 0;
  /** What changes said when they were undone, without what differs each time. */
  readonly undone = new Map<string, number>();

  constructor(gateways: readonly GatewayProcess[], random: Seeded, note: (change: Change) => void) {
    this.#gateways = gateways;
    this.#random = random;
    this.#note = note;
  }

  run({ cohorts, ramps, pauseMs: [least, most] }: FlipsPlan): void {
    const { signal } = this.#stop;
    const operators = cohorts.map(async ({ name }) => {
      const random = this.#random.fork(name);
      while (!signal.aborted) {
        const stage = random.weighted(STAGES);
        const ramp = random.chance(0.5) ? '100%' : random.pick(ramps[name] ?? ['100%']);
        await this.flip({ cohort: name, stage, ramp }, random);
        await pause(random.between(least, most), signal);
      }
    });
    this.#running = Promise.all(operators);
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

  /** Asks for one change and waits for its end. @throws when it does not end */
  async flip(wish: Wish, random = this.#random): Promise<Change> {
    this.#asked += 1;
    const key = `flip-${this.#asked}`;
    const requestedMs = nowMs();
    const order = shuffled(this.#gateways, random);
    const begun = await insist(order, OVER_MS, `an answer to ${key}`, (gateway) =>
      this.#ask(gateway, wish, key),
    );
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
    const change = changeOf(over, requestedMs, nowMs());
    if (change.outcome === 'undone') {
      const why = change.note.replaceAll(/\([^)]*\)|\d[\d.]*/gu, '').slice(0, 100);
      this.undone.set(why, (this.undone.get(why) ?? 0) + 1);
    }
    this.#note(change);
    return change;
  }

  /** Whatever it answers, the change is either known by this key or will never be begun by it. */
  async #ask(
    gateway: GatewayProcess,
    { cohort, stage, ramp }: Wish,
    key: string,
  ): Promise<ChangeDocument | undefined> {
    const path = `/api/v1/cohorts/${cohort}/stage`;
    const headers = { 'idempotency-key': key, prefer: `wait=${WAIT_S}` };
    const answer = await callAdmin(gateway, 'POST', path, { stage, ramp, reason: key }, headers);
    return this.#begun(gateway, answer);
  }

  async #begun(gateway: GatewayProcess, { status, body }: AdminAnswer): Promise<ChangeDocument | undefined> {
    const { change, code } = body;
    if ((status === 200 || status === 202) && isChange(change)) return change;
    if (code !== 'change_undone' || typeof change !== 'string') return undefined;
    const undone = await callAdmin(gateway, 'GET', `/api/v1/changes/${change}`);
    return isChange(undone.body) ? undone.body : undefined;
  }
}

/** The audit's row as the checker reads it. */
export function changeOf(document: ChangeDocument, requestedMs: number, overMs: number): Change {
  const { id, cohort, from, to, movesTruth, phase, epochs, note } = document;
  return {
    kind: 'cohort',
    id,
    cohort,
    from: stageAndRamp(from),
    to: stageAndRamp(to),
    movesTruth,
    outcome: phase === 'done' || phase === 'undone' ? phase : 'open',
    epoch: epochs.switch ?? null,
    requestedMs,
    overMs,
    note: note ?? '',
    force: false,
    kept: [],
  };
}

function stageAndRamp({ stage, ramp }: ChangeDocument['from']): StageAndRamp {
  const known = isStage(stage) ? stage : undefined;
  if (known === undefined) throw new Error(`the audit has a stage ${stage}`);
  return { stage: known, ramp };
}

function isStage(word: string): word is Stage {
  return word in STAGES;
}

function shuffled<T>(list: readonly T[], random: Seeded): T[] {
  return list
    .map((each) => [random.next(), each] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each);
}
