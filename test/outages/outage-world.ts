/**
 * The outage table: what happens when a store fails, and which test holds it on real servers. A name without a folder is in
 * this one, with `.test.ts` after it.
 *
 * | what is away                | reads                | writes               | meanwhile                             |
 * | --------------------------- | -------------------- | -------------------- | ------------------------------------- |
 * | Redis, killed               | redis-unreachable    | redis-unreachable    | redis-unreachable: ready, metric, no  |
 * | Redis, stopped (silent)     | (both stale reads)   | (every stage, pins)  | flip; redis-restarted: changes        |
 * | … with a user not cached    | redis-unreachable,   | redis-unreachable    | state/redis-outage: a record that may |
 * |                             | state/redis-outage   | (mark in the record) | not be in force is no answer          |
 * | … the fence itself          |                      | cutover/stopped-     | state/contact, state/redis-outage:    |
 * |                             |                      | gateway              | by elapsed time alone                 |
 * | Redis, wiped                | redis-wiped,         | redis-wiped          | redis-wiped: changes, one rebuild;    |
 * |                             | state/redis-lost     |                      | state/redis-control-lost: each step   |
 * | Redis, an older dump        | redis-older,         | redis-older          | redis-older: changes, one rebuild;    |
 * |                             | state/redis-lost     |                      | state/redis-lost: whoever saw nothing |
 * | Postgres, killed            | postgres-away        | postgres-away (first | postgres-away: no flip;               |
 * | Postgres, stopped (silent)  |                      | writes, placements)  | postgres-restarted: changes           |
 * | … at the start of a gateway | state/redis-outage   |                      |                                       |
 * | Redis and Postgres          | redis-unreachable,   | redis-unreachable    | redis-unreachable: no flip            |
 * |                             | state/redis-outage   |                      |                                       |
 * | Redis wiped, Postgres away  | state/redis-lost     | postgres-away        | postgres-away: no map appears, what   |
 * |                             |                      |                      | only Redis had comes to the record    |
 *
 * "Changes" are a stage, a rollback that keeps a user, and a pin, each struck in `holding`, `switching` and `releasing`, with
 * and without its controller (struck-changes.ts). Nothing is mirrored yet, so no cell about the journal is here.
 *
 * This file: two gateways in processes of their own, two stores, and a control service that stops where a test wants it to.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { ConfigModel } from '../../src/config/model.ts';
import { type Change, isOver } from '../../src/cutover/change.ts';
import type { Control } from '../../src/cutover/control.ts';
import type { Backend } from '../../src/model.ts';
import { createControlMap } from '../../src/state/create-control-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { controlOf, openControl } from '../../src/workers/open-control.ts';
import { RecordingBackends } from '../cutover/flip-load.ts';
import type { StartMessage } from '../cutover/gateway-process.ts';
import { untilLive } from '../cutover/gateways.ts';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import { type RedisFixture, startRedis } from '../fixtures/redis.ts';
import { testConfig } from '../harness/gateway.ts';
import { within } from '../harness/within.ts';
import { redisModel } from '../state/redis-setup.ts';
import { Gate } from './gate.ts';

const ENDING = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const ENTRY = fileURLToPath(new URL(`../cutover/gateway-process${ENDING}`, import.meta.url));

/** They only decide how long a failing test takes. */
export const PATIENCE_MS = 90_000;

export interface OutageWorld {
  readonly redis: RedisFixture;
  readonly postgres: PostgresFixture;
  readonly control: Control;
  readonly gate: Gate;
  readonly backends: RecordingBackends;
  readonly ports: readonly number[];
  /** Another process's control service, for as long as `work` takes: it finishes what `control` leaves. */
  readonly besides: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Asks until there is an answer, and it is the wanted one. A store that does not answer is asked again. */
export async function untilAnswered<T>(
  what: string,
  ask: () => Promise<T | undefined>,
): Promise<NonNullable<T>> {
  const asked = async (): Promise<NonNullable<T>> => {
    for (;;) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined && answer !== null) return answer;
      await delay(20);
    }
  };
  return within(asked(), what, PATIENCE_MS);
}

/** The change when it is over, whoever is away meanwhile. */
export function ended(control: Control, id: string): Promise<Change> {
  return untilAnswered('the end of the change', async () => {
    const change = await control.change(id);
    return change !== undefined && isOver(change.phase) ? change : undefined;
  });
}

async function startGatewayProcess(t: Test, message: StartMessage): Promise<number> {
  const child: ChildProcess = fork(ENTRY, [], { serialization: 'advanced' });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    await within(exited, `the end of gateway ${message.id}`, 5_000).catch(() => child.kill('SIGKILL'));
  });
  child.send(message);
  const [said]: { port: number }[] = await within(
    once(child, 'message'),
    `the start of gateway ${message.id}`,
    PATIENCE_MS,
  );
  return said?.port ?? 0;
}

/**
 * Cohort `movers` is at `shadow` and whoever has no membership falls into it. Redis keeps on disk what it was told to save and
 * nothing else: a start after a kill brings the last dump back.
 */
export async function outageWorld(t: Test): Promise<OutageWorld> {
  const backends = await RecordingBackends.start(t);
  const [redis, postgres] = await Promise.all([
    startRedis(t, { disposable: true, args: ['--appendonly', 'no'] }),
    startPostgres(t, { disposable: true }),
  ]);
  const written = testConfig({
    backends: { legacy: backends.port('legacy'), new: backends.port('new') },
    settings: {
      cohorts: [{ name: 'movers', default: true, stage: 'shadow' }],
      // A busy machine may be slow; no write should be refused for that, and no drain given up.
      cutover: { selfFenceAfterMs: 10_000, drainMaxMs: 60_000, holdMaxMs: 80_000 },
      log: { level: 'error' },
    },
  });
  const config: ConfigModel = {
    ...written,
    state: redisModel({ url: redis.url, keyPrefix: redis.prefix, commandMs: 5_000 }),
    record: { kind: 'postgres', url: postgres.url, poolMax: 4, statementMs: 2_000 },
  };
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const ports = [
    await startGatewayProcess(t, { id: 'one', config }),
    await startGatewayProcess(t, { id: 'two', config }),
  ];
  const record = await createRecord(config.record, log);
  const map = createControlMap({ config, record, log });
  const gate = new Gate();
  const control = controlOf(() => config, record, gate.before(map), log);
  t.teardown(async () => {
    gate.open();
    await control.close();
    map.close();
    await record.close();
  });
  await untilLive(control, 2);
  const besides = async <T>(work: () => Promise<T>): Promise<T> => {
    const other = await openControl(() => config, log);
    try {
      return await work();
    } finally {
      await other?.close();
    }
  };
  return { redis, postgres, control, gate, backends, ports, besides };
}

/** Who answers, or the status and the text of a refusal. */
export async function send(port: number, method: 'GET' | 'POST', user: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/things`, {
    method,
    headers: { 'x-user': user },
    ...(method === 'POST' ? { body: user } : {}),
  });
  const text = await answer.text();
  return answer.status === 200 ? text : `${answer.status} ${text}`;
}

/**
 * The user's writes go to `owner` through each gateway. One that is on its way back may refuse for a while, but the first that it
 * takes has to go there.
 */
export async function expectOwner(
  t: Test,
  { ports }: Pick<OutageWorld, 'ports'>,
  user: string,
  owner: Backend,
): Promise<void> {
  for (const port of ports) {
    const taken = await untilAnswered(`an answer to a write of ${user}`, async () => {
      const answer = await send(port, 'POST', user);
      return answer.startsWith('503 ') ? undefined : answer;
    });
    t.equal(taken, owner, `${user} is served by ${owner}`);
  }
}
