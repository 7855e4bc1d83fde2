/** One number of gateways: flips, one after the other, while clients read and write. */
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StageRequest } from '../../src/cutover/control.ts';
import { RAMP_BUCKETS } from '../../src/model.ts';
import { Processes } from '../processes.ts';
import type { FlipOptions } from './flip-options.ts';
import { type LoadResult, type LoadSettings, parseLoadResult } from './load.ts';
import type { Flip } from './timed-control.ts';
import { COHORT, ENDING, openFlipWorld } from './world.ts';

const LOAD = fileURLToPath(new URL(`./load-worker${ENDING}`, import.meta.url));
const WARM_UP_FLIPS_A_GATEWAY = 6;
/** Before the first flip: connections are opened, and code is compiled. */
const WARM_UP_MS = 1_000;

const share = (percent: number): { kind: 'percent'; buckets: number } => ({
  kind: 'percent',
  buckets: (RAMP_BUCKETS * percent) / 100,
});
/** In a circle, from `shadow` for all: each moves somebody's truth, by stage or by ramp, there or back. */
const CIRCLE: readonly Pick<StageRequest, 'stage' | 'ramp'>[] = [
  { stage: 'live', ramp: share(100) },
  { stage: 'shadow', ramp: share(100) },
  { stage: 'live', ramp: share(10) },
  { stage: 'live', ramp: share(50) },
  { stage: 'live', ramp: share(25) },
  { stage: 'shadow', ramp: share(100) },
];

export interface FlipSample {
  readonly gateways: number;
  readonly flips: readonly Flip[];
  readonly load: LoadResult;
  /** How long each write took that was held, and that was not, milliseconds. */
  readonly heldMs: readonly number[];
  readonly unheldMs: readonly number[];
  /** The share of the machine's CPU that was used meanwhile, by whomever: 0 to 1. */
  readonly cpuShare: number;
}

/** @param directory a folder that does not exist yet */
export async function measureFlips(
  gateways: number,
  options: FlipOptions,
  directory: string,
  stopping: (processes: Processes) => void,
): Promise<FlipSample> {
  const processes = new Processes({ inspect: false });
  stopping(processes);
  try {
    const { users, rate, pauseMs } = options;
    const { ports, control } = await openFlipWorld(
      processes,
      join(directory, `${gateways}`),
      gateways,
      users,
    );
    const turns = circling();
    const settings: LoadSettings = { ports, rate, users };
    // Thrown away, its load as well. The more gateways share the load, the later their code is compiled.
    const warmUp = await startLoad(processes, settings);
    await delay(WARM_UP_MS);
    for (let n = 0; n < WARM_UP_FLIPS_A_GATEWAY * gateways; n += 1)
      await control.flip({ cohort: COHORT, ...turns() });
    await warmUp.stop();

    const load = await startLoad(processes, settings);
    await delay(pauseMs);
    const before = cpuTimes();
    const flips: Flip[] = [];
    for (let n = 0; n < options.flips; n += 1) {
      flips.push(await control.flip({ cohort: COHORT, ...turns() }));
      await delay(pauseMs);
    }
    const cpuShare = busyShare(before, cpuTimes());
    return { gateways, flips, cpuShare, ...sorted(flips, await load.stop()) };
  } finally {
    await processes.stopAll();
  }
}

function circling(): () => Pick<StageRequest, 'stage' | 'ramp'> {
  let turn = 0;
  return () => {
    const wanted = CIRCLE[turn % CIRCLE.length];
    if (wanted === undefined) throw new RangeError('the circle is empty');
    turn += 1;
    return wanted;
  };
}

async function startLoad(
  processes: Processes,
  settings: LoadSettings,
): Promise<{ stop(): Promise<LoadResult> }> {
  const { child } = await processes.startNode(LOAD, [JSON.stringify(settings)], { core: 'any' });
  return {
    stop: async () => {
      let answer = '';
      child.on('message', (message) => {
        if (typeof message === 'string') answer = message;
      });
      const ended = once(child, 'exit');
      child.send('stop');
      await ended;
      return parseLoadResult(answer);
    },
  };
}

/**
 * A write was held when it was sent before a release and answered after it: one that was not held had been
 * answered before the switch.
 */
export function sorted(
  flips: readonly Pick<Flip, 'releaseMs'>[],
  load: LoadResult,
): Pick<FlipSample, 'load' | 'heldMs' | 'unheldMs'> {
  const heldMs: number[] = [];
  const unheldMs: number[] = [];
  for (const { sentMs, tookMs } of load.writes) {
    const held = flips.some(({ releaseMs }) => sentMs < releaseMs && sentMs + tookMs >= releaseMs);
    (held ? heldMs : unheldMs).push(tookMs);
  }
  return { load, heldMs, unheldMs };
}

interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

function cpuTimes(): CpuTimes {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) };
}

function busyShare(before: CpuTimes, after: CpuTimes): number {
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}
