/** How far a long job is, on one line that is drawn again and again. */
import { durationInWords } from '../wording/duration-in-words.ts';
import type { Writer } from './writer.ts';

const BAR_CHARACTERS = 24;
const DRAWN_EACH_MS = 100;

export interface Progress {
  /** 0 to 1; `undefined` where the end is not known. */
  readonly share: number | undefined;
  readonly lines: number;
  readonly refused: number;
}

/** `[######------]  50 %  500,000 lines  12,500 lines/s  40s left  3 refused` */
export function progressInWords({ share, lines, refused }: Progress, elapsedMs: number): string {
  const each = elapsedMs === 0 ? 0 : Math.round((lines * 1_000) / elapsedMs);
  const parts = [`${lines.toLocaleString('en')} lines`, `${each.toLocaleString('en')} lines/s`];
  if (share !== undefined) {
    const full = Math.round(Math.min(1, share) * BAR_CHARACTERS);
    const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}]`;
    parts.unshift(bar, `${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`);
    if (share > 0 && share < 1) parts.push(`${durationInWords((elapsedMs * (1 - share)) / share)} left`);
  }
  if (refused > 0) parts.push(`${refused.toLocaleString('en')} refused`);
  return parts.join('  ');
}

export class ProgressBar {
  readonly #writer: Writer;
  readonly #nowMs: () => number;
  readonly #beganMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(writer: Writer, nowMs: () => number) {
    this.#writer = writer;
    this.#nowMs = nowMs;
    this.#beganMs = nowMs();
  }

  draw(progress: Progress): void {
    const now = this.#nowMs();
    if (now - this.#drawnMs < DRAWN_EACH_MS) return;
    this.#drawnMs = now;
    this.#writer.status(progressInWords(progress, now - this.#beganMs));
  }

  /** Takes the line away. */
  clear(): void {
    this.#writer.status('');
  }
}
