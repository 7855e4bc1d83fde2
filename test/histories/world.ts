/** Gateways, stores, backends and users, as one run needs them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { createState } from '../../src/state/create-state.ts';
import type { StateMap } from '../../src/state/state-map.ts';
import { createRecord } from '../../src/storage/create-record.ts';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import type { Teardown } from '../harness/teardown.ts';
import { insist, listGateways } from './admin-api.ts';
import type { Backend, CohortAtStart, Stage } from './checker/history.ts';
import type { ClientUser } from './clients.ts';
import { pause } from './clock.ts';
import { type Fault, GatewayProcess } from './gateways.ts';
import { Network } from './network.ts';
import { Recorder } from './recorder.ts';
import { RecordingBackends } from './recording-backends.ts';
import type { BackendsPlan } from './recording-backends-process.ts';
import { RedisPair } from './redis-pair.ts';

export interface WorldPlan {
  readonly seed: number;
  readonly gateways: number;
  readonly users: readonly ClientUser[];
  /** The stages that the three cohorts begin with. */
  readonly stages: { readonly friends: Stage; readonly pro: Stage; readonly everyone: Stage };
  readonly writes: Pick<BackendsPlan, 'quickMs' | 'slowMs' | 'slowShare'>;
  readonly fault?: Fault;
}

export interface World {
  readonly gateways: readonly GatewayProcess[];
  readonly cohorts: readonly CohortAtStart[];
  readonly recorder: Recorder;
  readonly backends: RecordingBackends;
  readonly network: Network;
  readonly redis: RedisPair;
  readonly postgres: PostgresFixture;
  /** Pins a user when nobody writes for it, so that nothing has to be held. @returns the epoch */
  readonly pin: (user: string, backend: Backend) => Promise<number>;
}

/** Shorter than what anybody would run with, so that a run sees many of each. */
export const TIMES = {
  selfFenceAfterMs: 1_000,
  drainMaxMs: 1_000,
  holdMaxMs: 2_500,
  /** The longest that a write may be at work. */
  headersMs: 1_500,
} as const;

/** Users of three cohorts: explicit members, by a rule, the default; and some whose attribute changes. */
export function usersOf(counts: {
  readonly friends: number;
  readonly pro: number;
  readonly everyone: number;
  readonly changing: number;
}): readonly ClientUser[] {
  const numbered = (count: number, name: string): string[] =>
    Array.from({ length: count }, (_, index) => `${name}-${index}`);
  const groups: ClientUser[][] = [
    numbered(counts.friends, 'friend').map((user, ordinal) => ({
      user,
      cohorts: ['friends'],
      ordinal,
      plans: ['free', 'pro'],
    })),
    numbered(counts.pro, 'pro').map((user) => ({ user, cohorts: ['pro'], plans: ['pro'] })),
    numbered(counts.everyone, 'any').map((user) => ({ user, cohorts: ['everyone'], plans: ['free'] })),
    numbered(counts.changing, 'changing').map((user) => ({
      user,
      cohorts: ['pro', 'everyone'],
      plans: ['free', 'pro'],
    })),
  ];
  // One of each in turn, so that the first ones are of every kind.
  const longest = Math.max(...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, index) => groups.flatMap((group) => group[index] ?? [])).flat();
}

function cohortsOf({ friends, pro, everyone }: WorldPlan['stages']) {
  const plan = { attribute: 'header.x-plan', in: ['pro'] };
  return [
    { name: 'friends', stage: friends, ramp: '100%', salt: 'friends' },
    { name: 'pro', stage: pro, ramp: '100%', salt: 'salt of pro', rule: plan },
    { name: 'everyone', stage: everyone, ramp: '100%', salt: 'everyone', default: true },
  ];
}

export async function openWorld(t: Teardown, plan: WorldPlan): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'turnout-history-'));
  const recorder = new Recorder(dir);
  t.teardown(async () => {
    await recorder.close();
    await rm(dir, { recursive: true, force: true });
  });
  const [redis, postgres, backends] = await Promise.all([
    RedisPair.start(t),
    startPostgres(t, { disposable: true }),
    RecordingBackends.start(t, { ...plan.writes, seed: plan.seed, file: recorder.appliedFile }),
  ]);
  const names = Array.from({ length: plan.gateways }, (_, index) => `gateway-${index + 1}`);
  const network = await Network.lay(t, {
    targets: { redis: redis.port, postgres: Number(new URL(postgres.url).port) },
    wires: names.flatMap((name) =>
      ['redis', 'postgres'].map((store) => ({ name: `${name} ${store}`, store })),
    ),
  });
  const configFor = (redisPort: number, postgresPort: number) =>
    settings(plan, backends, redisPort, postgresPort);
  const withMap = <T>(work: (map: StateMap) => Promise<T>): Promise<T> =>
    withOwnMap(configFor(redis.port, Number(new URL(postgres.url).port)), work);
  // Before anybody is served.
  await withMap((map) => addMembers(map, plan.users));
  const gateways = await Promise.all(
    names.map((name) => {
      const config = configFor(network.port(`${name} redis`), network.port(`${name} postgres`));
      const fault = plan.fault === undefined ? {} : { fault: plan.fault };
      return GatewayProcess.prepare(t, { name, dir, config, ...fault });
    }),
  );
  await Promise.all(gateways.map((gateway) => gateway.start()));
  await untilLive(gateways);
  const cohorts = cohortsOf(plan.stages).map(({ name, stage, ramp, salt }) => ({ name, stage, ramp, salt }));
  await recorder.world({ strandingForbidden: false, cohorts, users: plan.users });
  const pin = async (user: string, backend: Backend): Promise<number> => {
    const epoch = await withMap((map) => map.putUser(user, { ...ABSENT_RECORD, pin: backend }));
    await untilApplied(gateways, epoch);
    return epoch;
  };
  return { gateways, cohorts, recorder, backends, network, redis, postgres, pin };
}

function settings(
  { stages }: WorldPlan,
  { ports }: RecordingBackends,
  redisPort: number,
  postgresPort: number,
) {
  const backend = (port: number) => ({
    url: `http://127.0.0.1:${port}`,
    connectMs: TIMES.headersMs,
    headersMs: TIMES.headersMs,
    bodyMs: TIMES.headersMs,
  });
  return {
    backends: { legacy: backend(ports.legacy), new: backend(ports.new) },
    state: { kind: 'redis', url: `redis://127.0.0.1:${redisPort}`, userBuckets: 64, commandMs: 500 },
    record: {
      kind: 'postgres',
      url: `postgres://postgres@127.0.0.1:${postgresPort}/postgres`,
      poolMax: 4,
      statementMs: 500,
    },
    identity: [{ from: 'header', name: 'x-user', trusted: true }],
    cohorts: cohortsOf(stages),
    cutover: {
      selfFenceAfterMs: TIMES.selfFenceAfterMs,
      drainMaxMs: TIMES.drainMaxMs,
      holdMaxMs: TIMES.holdMaxMs,
      // A gateway that was stopped would else show the old truth to whoever reads there.
      staleReads: 'refuse',
    },
    log: { level: 'info' },
    shutdown: { graceMs: 500 },
  };
}

/** A map of the test's own, beside those of the gateways. */
async function withOwnMap<T>(written: object, work: (map: StateMap) => Promise<T>): Promise<T> {
  const config = parseConfig(JSON.stringify(written), { file: 'history.yaml', env: {} });
  const log = pino({ level: 'silent' });
  const record = await createRecord(config.record, log);
  const map = createState({ config, record, log, clock: () => performance.now() });
  try {
    await map.start();
    const result = await work(map);
    // The record learns of the last epochs behind the call.
    while ((await record.unconfirmedUsers(1)).length > 0) await pause(10);
    return result;
  } finally {
    await map.close();
    await record.close();
  }
}

async function addMembers(map: StateMap, users: readonly ClientUser[]): Promise<void> {
  for (const { user, ordinal } of users) {
    if (ordinal === undefined) continue;
    const membership = { cohort: 'friends', ordinal, by: 'explicit' } as const;
    await map.putUser(user, { ...ABSENT_RECORD, membership });
  }
}

/** Every gateway has applied the epoch. */
async function untilApplied(gateways: readonly GatewayProcess[], epoch: number): Promise<void> {
  await insist(gateways, 60_000, `epoch ${epoch} at every gateway`, async (asked) => {
    const known = await listGateways(asked);
    return known?.every(({ applied }) => (applied ?? -1) >= epoch) === true ? true : undefined;
  });
}

/** Every gateway is known to every other as live, and no other is known. */
export async function untilLive(gateways: readonly GatewayProcess[]): Promise<void> {
  await insist(gateways, 60_000, 'gateways that are all live', async (asked) => {
    const known = await listGateways(asked);
    const live = known?.filter(({ state }) => state === 'live') ?? [];
    return live.length === gateways.length && known?.length === live.length ? true : undefined;
  });
}
