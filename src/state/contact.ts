/**
 * How fresh this gateway's knowledge is, and so whether it may still act on it.
 *
 * Contact is proven for the moment at which a question was *sent* whose answer showed that nothing newer had
 * happened than what was applied here. The moment of the answer would not do: a process that was frozen reads
 * old answers from its socket when it continues. For the same reason the attachment is worked out from the
 * clock each time it is asked for, and no timer has to run first.
 */
import type { Attachment } from './state-map.ts';

/** The share of `selfFenceAfterMs` without contact after which an open connection counts as detached. */
const SILENT_SHARE = 0.6;

export class Contact {
  readonly #clock: () => number;
  readonly #fenceAfterMs: number;
  #provenAt: number;
  #following = false;

  /** @param clock monotonic, milliseconds. @param fenceAfterMs `cutover.selfFenceAfterMs` */
  constructor(clock: () => number, fenceAfterMs: number) {
    this.#clock = clock;
    this.#fenceAfterMs = fenceAfterMs;
    this.#provenAt = clock();
  }

  /** @param sentAt when the question was sent, by the same clock */
  proven(sentAt: number): void {
    if (sentAt > this.#provenAt) this.#provenAt = sentAt;
  }

  /** The feed of a map that was checked is being followed, or no longer. */
  set following(following: boolean) {
    this.#following = following;
  }

  /** Milliseconds since the last proven contact. */
  get silentMs(): number {
    return this.#clock() - this.#provenAt;
  }

  get attachment(): Attachment {
    const silentMs = this.silentMs;
    if (silentMs >= this.#fenceAfterMs) return 'fenced';
    if (!this.#following || silentMs >= this.#fenceAfterMs * SILENT_SHARE) return 'detached';
    return 'attached';
  }
}
