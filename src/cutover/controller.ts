/**
 * Runs a change through its phases. ARCHITECTURE.md, section 'The barrier', has the protocol and every crash point.
 *
 * | phase       | what is done                     | then waits until            | and goes to             |
 * | ----------- | -------------------------------- | --------------------------- | ----------------------- |
 * | `pending`   |                                  | all gateways are ready      | holding, or switching   |
 * | `holding`   | the hold, epoch e                | all have drained e          | switching               |
 * | `switching` | records of users, definitions    | all have applied them       | releasing, or done      |
 * | `releasing` | the hold is taken away           | all have applied it         | done                    |
 * | `undoing`   | the hold is taken away           | those that answer have      | undone, or pending      |
 *
 * `pending` and `holding` are bounded and end in `undoing`. From `switching` on there is only forward; those waits
 * end because a gateway that does not answer fences itself. Whatever a controller leaves behind, because it
 * died or a store did not answer for too long, is taken over by `Recovery`.
 */
import type { Logger } from 'pino';
import { type Change, isOver, isUserChange } from './change.ts';
import { ChangeSteps, inWords, isFinal, type StepOptions, type Waits } from './change-steps.ts';
import { unapplied, unappliedByAny, unappliedByLive, undrained, unready } from './conditions.ts';
import {
  type ChangePatch,
  type Claims,
  type ControlMap,
  RecordsLostError,
  type Stranding,
  type UserSwitch,
} from './stores.ts';

/** What becomes of users whose writes are in `new` only. */
export interface Strander {
  /**
   * Asked when the hold has drained: nobody can add to the answer.
   * @returns why the change cannot go on, instead
   * @throws when a store does not answer
   */
  strand(change: Change, claims: Claims): Promise<Stranding | string>;
  /**
   * Of a change of users that holds nobody, once its users are claimed: why it would move somebody after all, because a
   * record was changed between its judgement and its opening.
   */
  objection(change: Change, claims: Claims): Promise<string | undefined>;
  /** Keeps what is known of users whose records were replaced; asked before the change is over. Idempotent. */
  carry(users: readonly UserSwitch[]): Promise<void>;
}

export interface ControllerOptions extends StepOptions {
  readonly map: ControlMap;
  readonly strander: Strander;
  readonly log: Logger;
}

/** How often a change begins anew when a gateway was lost during its hold. */
const RESTARTS_MAX = 2;
/** Records of one step. */
const USERS_MAX = 5_000;
const NOBODY: Stranding = { pinned: [], leftOut: [], stranded: [] };

export class Controller {
  readonly #options: ControllerOptions;
  readonly #steps: ChangeSteps;
  /** Changes that are undone to begin anew. */
  readonly #again = new Set<string>();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#steps = new ChangeSteps(options);
  }

  close(): void {
    this.#steps.close();
  }

  /**
   * Runs a change until it is over.
   *
   * @param taken it was another controller's, which vanished: before the point of no return it is undone
   * @throws ChangeLostError when another controller has it now; ControllerClosedError; a store's own error when it
   *   did not answer for `retryMaxMs`
   */
  async run(first: Change, taken = false): Promise<Change> {
    const { map, log, policy } = this.#options;
    const { id, token, kind, cohort } = first;
    let change = first;
    this.#steps.begin(id);
    try {
      await this.#steps.insist(change, policy.retryMaxMs, () => map.claim(id, token));
      if (taken && (change.phase === 'pending' || change.phase === 'holding')) {
        change = await this.#undo(change, `the process that ran it vanished while it was ${change.phase}`);
      }
      while (!isOver(change.phase)) {
        log.debug(
          { event: 'change_moved', change: id, kind, cohort, phase: change.phase },
          'a change goes on',
        );
        change = await this.#step(change);
      }
      const event = {
        event: 'change_over',
        change: id,
        kind,
        cohort,
        phase: change.phase,
        note: change.note,
      };
      log.info(event, 'a change is over');
      // What is left of it in the map does no harm.
      await map.forget(id).catch(() => undefined);
      return change;
    } finally {
      this.#steps.end(id);
      this.#again.delete(id);
    }
  }

  #step(change: Change): Promise<Change> {
    switch (change.phase) {
      case 'pending':
        return this.#prepare(change);
      case 'holding':
        return this.#hold(change);
      case 'switching':
        return this.#switch(change);
      case 'releasing':
        return this.#release(change);
      case 'undoing':
        return this.#giveBack(change);
      case 'done':
      case 'undone':
        return Promise.resolve(change);
      default: {
        const never: never = change.phase;
        return never;
      }
    }
  }

  async #prepare(change: Change): Promise<Change> {
    const { map, policy } = this.#options;
    const { pendingMaxMs } = policy;
    if (change.restarts > 0)
      await this.#steps.insist(change, policy.retryMaxMs, () => map.claim(change.id, change.token));
    const why = await this.#steps.until(change, pendingMaxMs, (gateways) => unready(change, gateways));
    if (why !== undefined) return this.#undo(change, why);
    if (change.movesTruth) return this.#steps.move(change, 'holding');
    if (isUserChange(change)) {
      const { store, strander } = this.#options;
      const objection = await this.#steps.insist(change, policy.retryMaxMs, async () =>
        strander.objection(change, await store.claimsOf(change.id)),
      );
      if (objection !== undefined) return this.#undo(change, objection);
    }
    return this.#steps.move(change, 'switching', undefined, NOBODY);
  }

  async #hold(change: Change): Promise<Change> {
    const { now, policy } = this.#options;
    const untilMs = now() + policy.drainMaxMs();
    let epoch: number | undefined;
    try {
      const claims = await this.#steps.insist(change, untilMs - now(), () =>
        this.#options.store.claimsOf(change.id),
      );
      epoch = await this.#setHold(change, claims, untilMs);
      for (;;) {
        const held: number = epoch;
        const why = await this.#drain(change, held, untilMs);
        if (why !== undefined) return await this.#undo(change, why, { holdEpoch: held });
        const stranding = await this.#steps.insist(change, untilMs - now(), () =>
          this.#options.strander.strand(change, claims),
        );
        if (typeof stranding === 'string') return await this.#undo(change, stranding, { holdEpoch: held });
        // A map that failed over meanwhile may have lost the hold, and with it what had drained.
        epoch = await this.#setHold(change, claims, untilMs);
        if (epoch === held)
          return await this.#steps.move(change, 'switching', { holdEpoch: held }, stranding);
      }
    } catch (error) {
      if (isFinal(error) || change.phase !== 'holding') throw error;
      const current = await this.#steps.insist(change, policy.retryMaxMs, () =>
        this.#options.store.readChange(change.id),
      );
      // The point of no return may have been passed by a commit whose answer was lost.
      if (current?.phase !== 'holding' || current.token !== change.token) throw error;
      return this.#undo(change, inWords(error), epoch === undefined ? {} : { holdEpoch: epoch });
    }
  }

  async #setHold(change: Change, claims: Claims, untilMs: number): Promise<number> {
    const { map, now } = this.#options;
    try {
      return await this.#steps.insist(change, untilMs - now(), () =>
        map.hold(change.id, change.token, claims),
      );
    } catch (error) {
      if (isFinal(error)) throw error;
      throw new Error(`the hold could not be set: ${inWords(error)}`, { cause: error });
    }
  }

  /** Waits until the hold has drained. @returns why it has not */
  async #drain(change: Change, epoch: number, untilMs: number): Promise<string | undefined> {
    let lost = false;
    const waits: Waits = (gateways) => {
      const found = undrained(change, epoch, gateways);
      lost = found?.lost ?? false;
      return found?.why;
    };
    const leftMs = untilMs - this.#options.now();
    const why = await this.#steps.until(change, leftMs, waits, { holdEpoch: epoch });
    if (why === undefined) return undefined;
    if (!lost || change.restarts >= RESTARTS_MAX) return why;
    this.#again.add(change.id);
    return `a gateway was lost during the hold, and the change begins again: ${why}`;
  }

  async #switch(change: Change): Promise<Change> {
    const { store, map, strander, policy } = this.#options;
    const { id, token, movesTruth } = change;
    const putUsers = (): Promise<void> => this.#eachUsers(change, (users) => map.putUsers(id, token, users));
    await putUsers();
    const everyone = change.needsEveryGateway && !movesTruth;
    // They were written when this phase began, and nobody else may write them before it ends.
    const definitions = isUserChange(change)
      ? []
      : await this.#steps.insist(change, policy.retryMaxMs, () => store.definitionsOf(id));
    const step = (): Promise<number> => map.switchTo(id, token, definitions);
    const switchEpoch = await this.#steps.untilInForce(
      change,
      async () => {
        try {
          return await step();
        } catch (error) {
          if (!(error instanceof RecordsLostError)) throw error;
          // A map that failed over has lost them, and perhaps a switch that rested on them.
          await putUsers();
          return step();
        }
      },
      everyone ? unappliedByAny : unapplied,
      (epoch) => ({ switchEpoch: epoch }),
    );
    await this.#eachUsers(change, (users) => strander.carry(users));
    if (movesTruth) return this.#steps.move(change, 'releasing', { switchEpoch });
    return this.#steps.move(change, 'done', { switchEpoch, note: inForce(change, switchEpoch) });
  }

  /** Every record that the change has written, page by page. */
  async #eachUsers(change: Change, work: (users: readonly UserSwitch[]) => Promise<void>): Promise<void> {
    const { store, policy } = this.#options;
    let after: string | undefined;
    for (let left = change.users; left > 0; ) {
      const page = await this.#steps.insist(change, policy.retryMaxMs, () =>
        store.usersOf(change.id, after, USERS_MAX),
      );
      if (page.length === 0) return;
      await this.#steps.insist(change, policy.retryMaxMs, () => work(page));
      await this.#steps.beat(change, undefined);
      after = page.at(-1)?.user;
      left -= page.length;
    }
  }

  async #release(change: Change): Promise<Change> {
    const { map } = this.#options;
    const releaseEpoch = await this.#steps.untilInForce(
      change,
      () => map.release(change.id, change.token),
      unapplied,
      (epoch) => ({ releaseEpoch: epoch }),
    );
    return this.#steps.move(change, 'done', { releaseEpoch, note: inForce(change, releaseEpoch) });
  }

  #undo(change: Change, note: string, patch: ChangePatch = {}): Promise<Change> {
    return this.#steps.move(change, 'undoing', { ...patch, note });
  }

  async #giveBack(change: Change): Promise<Change> {
    const { map, policy } = this.#options;
    const releaseEpoch = await this.#steps.insist(change, policy.retryMaxMs, () =>
      map.release(change.id, change.token),
    );
    // Without a note of its own: the one that says why it was undone stays.
    await this.#steps.until(change, policy.undoMaxMs, (gateways) => unappliedByLive(releaseEpoch, gateways));
    return this.#steps.move(change, this.#again.delete(change.id) ? 'pending' : 'undone', { releaseEpoch });
  }
}

function inForce({ dirty, dirtyUsers }: Change, epoch: number): string {
  const note = `in force everywhere since epoch ${epoch}`;
  if (dirty === 0) return note;
  const whose = `${dirty} ${dirty === 1 ? 'user' : 'users'} with writes in new only`;
  switch (dirtyUsers) {
    case 'force':
      return `${note}; ${whose} went back, and those writes are stranded`;
    case 'keep':
      return `${note}; ${whose} stayed`;
    case 'drain':
      return `${note}; ${whose} stayed, because nothing is mirrored that could drain`;
    default: {
      const unknown: never = dirtyUsers;
      return unknown;
    }
  }
}
