/** Gateways, stores, backends and users, as one run needs them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresFixture, startPostgres } from '../fixtures/postgres.ts';
import type { Teardown } from '../harness/teardown.ts';
import { insist, listGateways, runJob } from './admin-api.ts';
import { Audit } from './audit.ts';
import type { CohortAtStart, Stage } from './checker/history.ts';
import type { ClientUser } from './clients.ts';
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
  readonly audit: Audit;
}

const SEEDING = 'members from the beginning';

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
    numbered(counts.pro, 'pro').map((user) => ({ user, cohorts: [], plans: ['pro'] })),
    numbered(counts.everyone, 'any').map((user) => ({ user, cohorts: [], plans: ['free'] })),
    numbered(counts.changing, 'changing').map((user) => ({ user, cohorts: [], plans: ['free', 'pro'] })),
  ];
  // One of each in turn, so that the first ones are of every kind.
  const longest = Math.max(...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, index) => groups.flatMap((group) => group[index] ?? [])).flat();
}

function cohortsOf({ friends, pro, everyone }: WorldPlan['stages']): readonly CohortAtStart[] {
  return [
    { name: 'friends', stage: friends, ramp: '100%', salt: 'friends' },
    { name: 'pro', stage: pro, ramp: '100%', salt: 'salt of pro', plans: ['pro'] },
    { name: 'everyone', stage: everyone, ramp: '100%', salt: 'everyone', isDefault: true },
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
  const gateways = await Promise.all(
    names.map((name) => {
      const stores = { redis: network.port(`${name} redis`), postgres: network.port(`${name} postgres`) };
      const config = settings(plan, backends, stores);
      const fault = plan.fault === undefined ? {} : { fault: plan.fault };
      return GatewayProcess.prepare(t, { name, dir, config, ...fault });
    }),
  );
  await Promise.all(gateways.map((gateway) => gateway.start()));
  await untilLive(gateways);
  const audit = new Audit(
    gateways,
    (what) => recorder.event(what),
    (records) => recorder.records(records),
  );
  // Before anybody is served.
  await addMembers(gateways, plan.users, audit);
  const cohorts = cohortsOf(plan.stages);
  await recorder.world({ strandingForbidden: true, cohorts, users: plan.users });
  return { gateways, cohorts, recorder, backends, network, redis, postgres, audit };
}

function settings(
  { stages }: WorldPlan,
  { ports }: RecordingBackends,
  stores: { readonly redis: number; readonly postgres: number },
) {
  const backend = (port: number) => ({
    url: `http://127.0.0.1:${port}`,
    connectMs: TIMES.headersMs,
    headersMs: TIMES.headersMs,
    bodyMs: TIMES.headersMs,
  });
  return {
    backends: { legacy: backend(ports.legacy), new: backend(ports.new) },
    state: { kind: 'redis', url: `redis://127.0.0.1:${stores.redis}`, userBuckets: 64, commandMs: 500 },
    record: {
      kind: 'postgres',
      url: `postgres://postgres@127.0.0.1:${stores.postgres}/postgres`,
      poolMax: 4,
      statementMs: 500,
    },
    identity: [{ from: 'header', name: 'x-user', trusted: true }],
    cohorts: cohortsOf(stages).map(({ plans, isDefault = false, ...cohort }) => ({
      ...cohort,
      default: isDefault,
      ...(plans === undefined ? {} : { rule: { attribute: 'header.x-plan', in: plans } }),
    })),
    cutover: {
      selfFenceAfterMs: TIMES.selfFenceAfterMs,
      drainMaxMs: TIMES.drainMaxMs,
      holdMaxMs: TIMES.holdMaxMs,
      // A gateway that was stopped would else show the old truth to whoever reads there.
      staleReads: 'refuse',
    },
    // Cohorts move when the run says so, however many reads fail.
    guard: { action: 'warn' },
    log: { level: 'info' },
    shutdown: { graceMs: 500 },
  };
}

/** Explicit members, in the order of their places. */
async function addMembers(
  gateways: readonly GatewayProcess[],
  users: readonly ClientUser[],
  audit: Audit,
): Promise<void> {
  const friends = users
    .filter(({ ordinal }) => ordinal !== undefined)
    .toSorted((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0));
  if (friends.length === 0) return;
  audit.beforehand(SEEDING);
  const text = friends.map(({ user }) => `${user}\n`).join('');
  await insist(gateways, 60_000, 'the first members', async (asked) => {
    const { status, code } = await runJob(
      asked,
      'POST',
      `/api/v1/cohorts/friends/members?${new URLSearchParams({ reason: SEEDING }).toString()}`,
      text,
    );
    return status === 200 && code === undefined ? true : undefined;
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
