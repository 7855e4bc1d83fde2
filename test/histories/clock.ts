import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds of the machine's monotonic clock: all processes of a run read the same one. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves after the pause, or at once when the signal says that it is over. */
export async function pause(ms: number, stop?: AbortSignal): Promise<void> {
  await delay(ms, undefined, stop === undefined ? {} : { signal: stop }).catch(() => undefined);
}
