/** One run: load, flips and misfortunes from a seed, then the verdict over what was recorded. */
import type { Teardown } from '../harness/teardown.ts';
import { checkHistory, type Verdict } from './checker/check-history.ts';
import { Clients } from './clients.ts';
import { pause } from './clock.ts';
import { Flips } from './flips.ts';
import type { GatewayProcess } from './gateways.ts';
import { Nemesis } from './nemesis.ts';
import { readHistory } from './recorder.ts';
import { Seeded } from './seeded.ts';
import { openWorld, TIMES, untilLive, usersOf, type World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly gateways?: number;
  /** Between two misfortunes of a lane; none happens in a calm run. */
  readonly misfortunesMs?: readonly [least: number, most: number] | 'calm';
  /** Called with the folder when the run breaks off, before it is removed. */
  readonly keep?: (dir: string) => string;
}

export interface RunResult extends Verdict {
  /** The folder of the history, which is removed with its test. */
  readonly dir: string;
  /** For people. */
  readonly summary: readonly string[];
}

/** The counts stay below the members of the beginning, whose places the checker knows. */
const RAMPS = {
  friends: [0, 10, 25, 40, '25%'],
  pro: ['0%', '10%', '33.33%', '50%', '90%'],
  everyone: ['0%', '10%', '33.33%', '50%', '90%'],
};

const RULES = { pro: [['pro'], ['pro', 'free'], ['free'], ['gold']] };

export async function runHistory(
  t: Teardown,
  { seed, forMs, gateways: count = 3, misfortunesMs = [300, 4_000], keep }: RunOptions,
): Promise<RunResult> {
  const users = usersOf({ friends: 50, pro: 50, everyone: 60, changing: 40 });
  const world = await openWorld(t, {
    seed,
    gateways: count,
    users,
    stages: { friends: 'shadow', pro: 'shadow', everyone: 'off' },
    writes: { quickMs: 10, slowMs: 300, slowShare: 0.03 },
  });
  const { gateways, recorder } = world;
  const random = new Seeded(seed);
  const clients = new Clients(
    gateways,
    {
      users,
      pauseMs: [200, 1_400],
      hotUsers: 8,
      hotPauseMs: [10, 60],
      quietPauseMs: [2_000, 20_000],
      abandonedShare: 0.01,
      slowBodyShare: 0.02,
    },
    random.fork('clients'),
    (operation) => recorder.operation(operation),
  );
  const flips = new Flips(gateways, random.fork('flips'), world.audit);
  const nemesis = new Nemesis(
    { ...world, writeMaxMs: TIMES.headersMs, selfFenceAfterMs: TIMES.selfFenceAfterMs },
    random.fork('nemesis'),
    (what) => recorder.event(what),
  );
  let fallbacks: ReadonlyMap<string, number>;
  try {
    clients.run();
    world.audit.watch();
    flips.run({
      cohorts: world.cohorts,
      ramps: RAMPS,
      rules: RULES,
      users: users.map(({ user }) => user),
      pauseMs: [0, 150],
    });
    if (misfortunesMs !== 'calm') nemesis.run(misfortunesMs);
    await Promise.race([pause(forMs), nemesis.broken, flips.broken]);
    await nemesis.stop();
    await flips.stop();
    await untilLive(gateways);
    // Whatever is in force now is also what everybody is served by.
    await pause(500);
    await clients.stop();
    fallbacks = await fallbackOutcomes(gateways);
  } catch (error) {
    const kept = keep?.(recorder.dir);
    throw new Error(`the run broke off${kept === undefined ? '' : `; kept in ${kept}`}`, { cause: error });
  }
  const verdict = await judge(world);
  const counts = (of: ReadonlyMap<string, number>): string =>
    [...of].map(([name, times]) => `${times} × ${name}`).join(', ');
  const summary = [
    JSON.stringify(verdict.counts),
    `misfortunes: ${counts(nemesis.counts)}`,
    `asked for: ${counts(flips.outcomes)}`,
    `undone: ${counts(flips.undone)}`,
    `answers: ${counts(clients.told)}`,
    `fallback reads: ${counts(fallbacks)}`,
  ];
  return { ...verdict, dir: recorder.dir, summary };
}

/** What became of reads that `new` failed to answer, since each gateway's last start. */
async function fallbackOutcomes(gateways: readonly GatewayProcess[]): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for (const { adminPort } of gateways) {
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
    for (const [, outcome = '', value] of metrics.matchAll(
      /^turnout_fallback_reads_total\{.*outcome="(.+)"\} (\d+)$/gm,
    ))
      sums.set(outcome, (sums.get(outcome) ?? 0) + Number(value));
  }
  return sums;
}

/** When the clients have stopped, and every gateway is there. */
export async function judge({ audit, backends, postgres, recorder }: World): Promise<Verdict> {
  for (const change of await audit.read(postgres.url)) recorder.change(change);
  await backends.applied();
  await recorder.close();
  return checkHistory(await readHistory(recorder.dir));
}
