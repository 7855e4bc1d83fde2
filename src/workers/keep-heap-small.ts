import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap of a process that serves requests close to what lives in it. Left alone, V8 lets it grow to two
 * or three times that before it collects, and the young generation to 32 MiB, on a machine with much memory. A
 * gateway's objects die young, so collecting more often costs little: measured under load with 100,000 users,
 * 265 MB resident became 140, for between 0 and 12 % more CPU on a busy machine.
 *
 * To be called once, early.
 */
export function keepHeapSmall(): void {
  // The old generation is collected when it has grown by this much.
  setFlagsFromString('--heap-growing-percent=25');
  // The young generation keeps its first size, 1 MiB.
  setFlagsFromString('--semi-space-growth-factor=1');
}
