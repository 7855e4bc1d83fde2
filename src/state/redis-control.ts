/**
 * The barrier's part of the map in Redis, on a connection of its own: the process that runs changes may be one
 * that follows no map. The connection is opened when it is first needed, and anew after each failure.
 *
 * Any error but `ChangeLostError` leaves open whether the call took effect. Each may be repeated as it is.
 */
import type { Logger } from 'pino';
import {
  ChangeLostError,
  type Claims,
  type CohortSwitch,
  type ControlMap,
  type Lease,
  RecordsLostError,
  type UserSwitch,
} from '../cutover/stores.ts';
import { MapReplacedError, type RecordStore } from '../storage/record-store.ts';
import { assertOver, claimable } from './claimable.ts';
import { cohortNumbers } from './cohort-numbers.ts';
import {
  ANNOUNCE_SWITCHED,
  CLAIM,
  FORGET,
  HOLD,
  LOST,
  MAY_SWITCH,
  NO_COHORT,
  NO_HOLD,
  NO_RECORDS,
  OTHER_MAP,
  OVER_MAX,
  READ_LEASES,
  RELEASE,
  RENEW_LEASE,
  SWITCH,
  UNCLAIMED,
} from './control-scripts.ts';
import { holdFields, storedCohort } from './hold-fields.ts';
import { leaseJson, parseLease } from './lease-json.ts';
import { MapCommands } from './map-commands.ts';
import { MarkSets } from './mark-sets.ts';
import { putIntoBuckets } from './put-users.ts';
import { rebuildMap } from './rebuild.ts';
import type { Argument, RedisClient, RedisModel } from './redis-client.ts';
import { RedisConnection } from './redis-connection.ts';
import { BATCHES_MAX, CHANGES_MAX, type RedisKeys, redisKeys } from './redis-keys.ts';
import type { RedisScript } from './redis-scripts.ts';
import { integer, list, text } from './reply.ts';
import { cohortJson } from './shared-state.ts';
import { within } from './within.ts';

export interface RedisControlOptions {
  readonly model: RedisModel;
  readonly record: RecordStore;
  readonly log: Logger;
  /**
   * The id of the map that this gateway follows at this moment: its lease counts in that one and in no other.
   * Absent in a process that follows none; it has no lease.
   */
  readonly followed?: () => string;
}

interface Connection {
  readonly client: RedisClient;
  readonly commands: MapCommands;
}

/** Changes of which is remembered what they hold. */
const HELD_MAX = 100;
/** Users that one script announces. */
const ANNOUNCED_MAX = 500;
/** Users whose buckets one script changes where one server has all of them. */
const PUT_TOGETHER = 100;

export class RedisControl implements ControlMap {
  readonly #options: RedisControlOptions;
  readonly #keys: RedisKeys;
  readonly #connection: RedisConnection<Connection>;
  /** By change, the epoch of the latest announcement of its records that this process has made. */
  readonly #announced = new Map<string, number>();
  /** By change, what it holds under this token: a hold is set again after it has drained, while writes wait. */
  readonly #held = new Map<string, { readonly token: number; readonly fields: readonly string[] }>();
  /** The map that calls are for; asked anew after one that found another. */
  #mapId: string | undefined;

  constructor(options: RedisControlOptions) {
    this.#options = options;
    this.#keys = redisKeys(options.model.keyPrefix);
    const { model } = options;
    this.#connection = new RedisConnection(
      model,
      (client) => ({ client, commands: new MapCommands(client, this.#keys, model.commandMs) }),
      'the control of the state map',
    );
  }

  close(): void {
    this.#connection.close();
  }

  #run(script: RedisScript, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const { commandMs } = this.#options.model;
    return this.#connection.ask(({ client }) =>
      within(client.script(script, keys, args), commandMs, 'Redis'),
    );
  }

  async #there(): Promise<{ id: string; epoch: number }> {
    const there = await this.#connection.ask(({ commands }) => commands.readEpoch());
    if (there === undefined) throw new Error('Redis holds no state map: it is lost, or being rebuilt');
    return there;
  }

  async #currentMap(): Promise<string> {
    this.#mapId ??= (await this.#there()).id;
    return this.#mapId;
  }

  /** What a script replied, for `change` or a gateway; an epoch unless it is an error. */
  #outcome(reply: unknown, mapId: string, change: string): number {
    const code = integer(reply);
    switch (code) {
      case OTHER_MAP:
        if (this.#mapId === mapId) this.#mapId = undefined;
        throw new MapReplacedError(mapId);
      case LOST:
        throw new ChangeLostError(change);
      case UNCLAIMED:
        throw new Error(`the state map does not know change ${change}`);
      case NO_COHORT:
        throw new Error(`the state map does not have the cohort of change ${change} yet`);
      case NO_RECORDS:
        throw new RecordsLostError(change);
      case NO_HOLD:
        throw new Error(`the state map has lost the hold of change ${change}: it has to be held again`);
      default:
        return code;
    }
  }

  async claim(change: string, token: number): Promise<void> {
    // The map is named before the record is asked. A controller that is stopped after the answer finds, when it
    // continues and the change is over, either that in this map or another map.
    const mapId = await this.#currentMap();
    const { movesTruth, restarts } = await claimable(this.#options.record.changes, change, token);
    const { meta, control, over } = this.#keys;
    const args = [mapId, change, token, movesTruth ? 1 : 0, restarts];
    this.#outcome(await this.#run(CLAIM, [meta, control, over], args), mapId, change);
  }

  /** Runs a step of a change; claims the change first in a map that does not know it. */
  async #step(
    script: RedisScript,
    keys: readonly string[],
    change: string,
    token: number,
    args: readonly Argument[],
    feedMax = CHANGES_MAX,
  ): Promise<number> {
    const attempt = async (): Promise<{ mapId: string; reply: unknown }> => {
      const mapId = await this.#currentMap();
      const reply = await this.#run(script, keys, [mapId, change, token, feedMax, ...args]);
      return { mapId, reply };
    };
    let { mapId, reply } = await attempt();
    if (integer(reply) === UNCLAIMED) {
      await this.claim(change, token);
      ({ mapId, reply } = await attempt());
    }
    return this.#outcome(reply, mapId, change);
  }

  async hold(change: string, token: number, what: Pick<Claims, 'held' | 'users'>): Promise<number> {
    const { meta, control, holds, cohorts, changes } = this.#keys;
    const fields = await this.#fieldsOf(change, token, what);
    return this.#step(HOLD, [meta, control, holds, cohorts, changes], change, token, fields);
  }

  /** They stay as they are while the change is open: it has its cohorts for itself. */
  async #fieldsOf(
    change: string,
    token: number,
    what: Pick<Claims, 'held' | 'users'>,
  ): Promise<readonly string[]> {
    const known = this.#held.get(change);
    if (known?.token === token) return known.fields;
    const fields = holdFields(what, await this.#options.record.readCohorts());
    if (fields.length === 0) throw new Error(`there is no cohort ${what.held.join(', ')}`);
    // Those of changes that somebody else has taken over are never asked for again.
    if (this.#held.size >= HELD_MAX) this.#held.clear();
    this.#held.set(change, { token, fields });
    return fields;
  }

  async putUsers(change: string, token: number, users: readonly UserSwitch[]): Promise<void> {
    const { meta, control, holds, changes } = this.#keys;
    const switched = await this.#step(MAY_SWITCH, [meta, control, holds], change, token, []);
    // Whoever took the change over does it once more, to know what a map that fails over has to have.
    if (switched > 0 && this.#announced.has(change)) return;
    const numbers = cohortNumbers(await this.#options.record.readCohorts());
    const mapId = await this.#currentMap();
    const bytes = await this.#connection.ask(async ({ commands }) => {
      const map = await commands.readIdentity();
      if (map?.id !== mapId) {
        this.#mapId = undefined;
        throw new MapReplacedError(mapId);
      }
      const together = this.#options.model.mode === 'cluster' ? 1 : PUT_TOGETHER;
      return putIntoBuckets(commands, map, numbers, users, together);
    });
    const bound = users.length < ANNOUNCED_MAX ? CHANGES_MAX : BATCHES_MAX;
    for (let at = 0; at < bytes.length; at += ANNOUNCED_MAX) {
      const announced = bytes.slice(at, at + ANNOUNCED_MAX).flatMap(({ user, record }) => [user, record]);
      const keys = [meta, control, holds, changes];
      const epoch = await this.#step(ANNOUNCE_SWITCHED, keys, change, token, announced, bound);
      this.#announced.set(change, epoch);
    }
  }

  async switchTo(change: string, token: number, switched: readonly CohortSwitch[]): Promise<number> {
    const stored = switched.length === 0 ? [] : await this.#options.record.readCohorts();
    const { meta, control, holds, cohorts, changes } = this.#keys;
    const args = switched.flatMap(({ cohort, deleted }) => {
      const known = storedCohort(cohort.name, stored);
      if (known === undefined) throw new Error(`there is no cohort ${cohort.name}`);
      return [known.number, cohortJson({ ...known, cohort, deleted })];
    });
    const announced = this.#announced.get(change) ?? 0;
    return this.#step(SWITCH, [meta, control, holds, cohorts, changes], change, token, [announced, ...args]);
  }

  release(change: string, token: number): Promise<number> {
    const { meta, control, holds, changes } = this.#keys;
    return this.#step(RELEASE, [meta, control, holds, changes], change, token, []);
  }

  async forget(change: string): Promise<void> {
    this.#announced.delete(change);
    this.#held.delete(change);
    await assertOver(this.#options.record.changes, change);
    const mapId = await this.#currentMap();
    const { meta, control, over } = this.#keys;
    const reply = await this.#run(FORGET, [meta, control, over], [mapId, change, OVER_MAX]);
    this.#outcome(reply, mapId, change);
  }

  async rebuild(): Promise<{ readonly mapId: string; readonly epoch: number }> {
    const { record, model, log } = this.#options;
    return this.#connection.ask(async ({ client, commands }) => {
      const there = await commands.readShared('');
      await rebuildMap({
        record,
        client,
        commands,
        keys: this.#keys,
        buckets: there?.buckets ?? model.userBuckets,
        isCluster: model.mode === 'cluster',
        condemned: there?.id,
        epochSeen: there?.epoch ?? 0,
        log,
      });
      this.#mapId = undefined;
      const made = await commands.readEpoch();
      if (made === undefined) throw new Error('the state map that was rebuilt is gone again');
      return { mapId: made.id, epoch: made.epoch };
    });
  }

  async collectMarks(): Promise<void> {
    const { record, model } = this.#options;
    await this.#connection.ask(({ client }) =>
      new MarkSets(client, this.#keys, model.commandMs).collect(record.marks),
    );
  }

  async leases(): Promise<readonly Lease[]> {
    const { meta, leases } = this.#keys;
    const reply = await this.#run(READ_LEASES, [meta, leases], []);
    if (reply === null) throw new Error('Redis holds no state map: it is lost, or being rebuilt');
    return list(reply).map((json) => parseLease(text(json)));
  }

  async renewLease(lease: Lease): Promise<number> {
    // Before anything is waited for: what the lease says is of the map that is followed now.
    const mapId = this.#options.followed?.();
    if (mapId === undefined) throw new Error('a process that follows no state map has no lease');
    const { meta, leases } = this.#keys;
    const reply = await this.#run(RENEW_LEASE, [meta, leases], [mapId, lease.gateway, leaseJson(lease)]);
    return this.#outcome(reply, mapId, lease.gateway);
  }

  async dropLease(gateway: string): Promise<void> {
    await this.#connection.ask(({ client }) =>
      within(client.raw.hdel(this.#keys.leases, gateway), this.#options.model.commandMs, 'Redis'),
    );
  }

  async epoch(): Promise<number> {
    return (await this.#there()).epoch;
  }
}
