/**
 * Speaks for one gateway to those who change the map: it is registered before the gateway listens, renews its
 * lease, and says which epochs have been applied and drained.
 *
 * It also fences the gateway. A controller takes a gateway whose lease stands still for fenced, so the gateway has to
 * be: it is, when the last renewal that counts was sent longer ago than `selfFenceAfterMs`. A renewal counts once
 * everything is applied that the map had when it was answered; a gateway that comes back after a silence must not
 * act on what it knew before.
 */
import type { Logger } from 'pino';
import type { Snapshot } from '../model.ts';
import type { Attachment, StateChange, UnrecordedPlacements } from '../state/state-map.ts';
import { type Acknowledgement, Acknowledger, type WritesInFlight } from './acknowledgement.ts';
import type { InFlightWrites } from './in-flight-writes.ts';
import type { ChangeStore, ControlMap, UndrainedSubject } from './stores.ts';
import { type UnrecordedMarks, UnrecordedWrites } from './unrecorded-writes.ts';

/** What the agent needs of the state map. */
export interface FollowedMap {
  readonly snapshot: Snapshot;
  readonly attachment: Attachment;
  onChange(listener: (change: StateChange) => void): () => void;
  /** Absent where nobody notes who wrote. */
  readonly marks?: UnrecordedMarks;
  readonly unrecordedPlacements?: UnrecordedPlacements;
}

export interface GatewayAgentOptions {
  /** Unique for each start of a gateway. */
  readonly id: string;
  /** For people: host, process, worker. */
  readonly where: string;
  readonly registry: Pick<ChangeStore, 'registerGateway' | 'deregisterGateway'>;
  readonly map: Pick<ControlMap, 'renewLease' | 'dropLease'>;
  /** Started. */
  readonly state: FollowedMap;
  readonly writes: InFlightWrites;
  /** Of the part of the configuration that bears on truth. */
  readonly digest: string;
  readonly selfFenceAfterMs: number;
  /** Whoever changes the map is in this process and can be stopped only together with it: nothing to fence from. */
  readonly alone: boolean;
  readonly log: Logger;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Bound on the start, milliseconds. */
  readonly startMs?: number;
}

const START_MS = 10_000;
const RETRY_MS = 100;
const UNDRAINED_MAX = 5;
const ROUTES_MAX = 3;

export class GatewayAgent {
  readonly #options: GatewayAgentOptions;
  #digest: string;
  #counter = 0;
  /** When the last renewal that counts was sent. */
  #provenAt: number;
  /** Answered, but the map had more than is applied here. */
  #unproven: { readonly sentAt: number; readonly epoch: number } | undefined;
  readonly #acknowledger: Acknowledger;
  /** What a drain waits for. */
  readonly #undrainedWrites: WritesInFlight;
  #acknowledged: Acknowledgement;
  #awaited = new Set<string>();
  #renewing: Promise<void> | undefined;
  #again = false;
  #registered = false;
  #timer: NodeJS.Timeout | undefined;
  #stopFollowing: (() => void) | undefined;
  #closed = false;

  constructor(options: GatewayAgentOptions) {
    this.#options = options;
    this.#digest = options.digest;
    this.#provenAt = options.now();
    this.#acknowledger = new Acknowledger(options.state.snapshot);
    const { state, writes } = options;
    this.#undrainedWrites =
      state.marks === undefined
        ? writes
        : new UnrecordedWrites(writes, state.marks, state.unrecordedPlacements);
    this.#acknowledged = this.#acknowledger.look(state.snapshot, this.#undrainedWrites);
  }

  get id(): string {
    return this.#options.id;
  }

  /** Whether others may take this gateway for gone. Works out the elapsed time each time. */
  get fenced(): boolean {
    const { alone, now, selfFenceAfterMs } = this.#options;
    return !alone && now() - this.#provenAt >= selfFenceAfterMs;
  }

  get acknowledged(): Acknowledgement {
    return this.#acknowledged;
  }

  /**
   * Makes the gateway known. When it resolves the gateway may listen: whoever counts gateways from now on counts
   * this one, and every change that was made without it is applied here.
   *
   * A record that does not answer is no reason not to serve: the lease alone makes the gateway count, and it is
   * registered when the record is back.
   * @throws Error when the map does not answer within the bound
   */
  async start(): Promise<void> {
    const { registry, id, where, log, state, selfFenceAfterMs } = this.#options;
    this.#stopFollowing = state.onChange((change) => this.#onChange(change));
    try {
      await registry.registerGateway(id, where);
      this.#registered = true;
    } catch (err) {
      log.warn({ event: 'gateway_not_registered', err }, 'the gateway could not be registered yet');
    }
    try {
      await this.#firstRenewal();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#timer = setInterval(() => void this.#tick(), selfFenceAfterMs / 4);
    this.#timer.unref();
  }

  async #firstRenewal(): Promise<void> {
    const { now, startMs = START_MS } = this.#options;
    const begunAt = now();
    for (;;) {
      try {
        await this.#renewOnce();
        if (this.#unproven === undefined) return;
      } catch (cause) {
        if (now() - begunAt >= startMs) {
          throw new Error('the state map does not take the lease of this gateway', { cause });
        }
      }
      if (now() - begunAt >= startMs) {
        throw new Error(`the state map could not be caught up with within ${startMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 10));
    }
  }

  /** Takes the digest of a new configuration. */
  reconfigure(digest: string): void {
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#renewSoon();
  }

  #onChange(change: StateChange): void {
    this.#prove();
    this.#look();
    // Not for each user: a map under load has thousands of those a second.
    if (change.kind === 'snapshot' || change.kind === 'reset') this.#renewSoon();
  }

  /** Works out what may be acknowledged, and asks to be told when more of it may be. */
  #look(): void {
    const { state, writes } = this.#options;
    this.#acknowledged = this.#acknowledger.look(state.snapshot, this.#undrainedWrites);
    for (const each of this.#acknowledged.undrained) {
      if ('user' in each) {
        this.#await(`user ${each.user}`, () => writes.whenUserDrained(each.user));
        continue;
      }
      const { cohort, unplacedToo, unsettled } = each;
      this.#await(`cohort ${cohort}`, () => writes.whenDrained(cohort, unplacedToo));
      if (unsettled > 0) this.#await(`marks of ${cohort}`, () => writes.whenSettled(cohort, unplacedToo));
    }
  }

  /** @param key that which is waited for; once at a time */
  #await(key: string, over: () => Promise<void>): void {
    if (this.#awaited.has(key)) return;
    this.#awaited.add(key);
    const { marks, unrecordedPlacements } = this.#options.state;
    // Marks and placements are waited for after the writes: those make the last of them.
    const recorded = over()
      .then(() => marks?.recorded())
      .then(() => unrecordedPlacements?.recorded());
    void recorded.then(() => {
      this.#awaited.delete(key);
      this.#look();
      this.#renewSoon();
    });
  }

  /** What the drain waits for, for people. */
  #undrained(): readonly UndrainedSubject[] {
    const { writes } = this.#options;
    return this.#acknowledged.undrained.slice(0, UNDRAINED_MAX).map((each) =>
      'user' in each
        ? { subject: `user ${each.user}`, writes: each.writes, routes: [] }
        : {
            subject: `cohort ${each.cohort}`,
            writes: each.writes,
            unsettled: each.unsettled,
            routes: writes.routesOf(each.cohort, each.unplacedToo).slice(0, ROUTES_MAX),
          },
    );
  }

  #prove(): void {
    const unproven = this.#unproven;
    if (unproven === undefined || this.#options.state.snapshot.epoch < unproven.epoch) return;
    this.#unproven = undefined;
    this.#provenAt = Math.max(this.#provenAt, unproven.sentAt);
  }

  async #tick(): Promise<void> {
    if (!this.#registered) await this.#registerLate();
    this.#renewSoon();
  }

  async #registerLate(): Promise<void> {
    const { registry, id, where } = this.#options;
    try {
      await registry.registerGateway(id, where);
      this.#registered = true;
      if (this.#closed) await registry.deregisterGateway(id);
    } catch {
      // Said once, at the start.
    }
  }

  /** At once, or right after the renewal that is under way: what it says may be out of date. */
  #renewSoon(): void {
    if (this.#closed) return;
    if (this.#renewing !== undefined) {
      this.#again = true;
      return;
    }
    this.#renewing = this.#renewOnce()
      .catch(() => {
        // The next tick tries again; meanwhile the time since the last one that counts goes on.
      })
      .finally(() => {
        this.#renewing = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#renewSoon();
      });
  }

  async #renewOnce(): Promise<void> {
    const { id, map, now, state } = this.#options;
    // A gateway that does not follow the feed is not one that others may count on.
    if (state.attachment !== 'attached') throw new Error('the state map is not followed');
    this.#look();
    const { applied, drained, settled } = this.#acknowledged;
    this.#counter += 1;
    const sentAt = now();
    const undrained = this.#undrained();
    const epoch = await map.renewLease({
      gateway: id,
      counter: this.#counter,
      applied,
      drained,
      settled,
      digest: this.#digest,
      ...(undrained.length === 0 ? {} : { undrained }),
    });
    // A change that did not see the renewal is in this epoch, and has to be applied first.
    this.#unproven = { sentAt, epoch };
    this.#prove();
  }

  /** The gateway has stopped in order: nobody has to wait for it. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stopFollowing?.();
    await this.#renewing;
    const { registry, map, id, log } = this.#options;
    const ended = await Promise.allSettled([registry.deregisterGateway(id), map.dropLease(id)]);
    for (const outcome of ended) {
      if (outcome.status === 'fulfilled') continue;
      const event = { event: 'gateway_not_deregistered', gateway: id, err: outcome.reason };
      log.warn(event, 'the gateway could not sign off; it has to be evicted');
    }
  }
}
