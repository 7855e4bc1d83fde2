/**
 * Which differences a sample is taken of. Taking one costs up to some milliseconds of the event loop (two bodies are
 * parsed and redacted), so there are few: when a group has not got its five, then one now and then, so that people
 * see fresh ones; never more than some a second, whatever comes.
 */
import type { Difference } from '../comparison/difference.ts';
import type { ComparedRead } from '../shadow/report-sink.ts';
import type { Redaction } from './redaction.ts';
import type { NewSample } from './report-store.ts';
import { encodeSample, takeSample } from './sample.ts';

export const SAMPLES_OF_A_GROUP = 5;
/** A group that has its samples gets a fresh one after this. */
const FRESH_AFTER_MS = 10 * 60_000;
/** Samples taken in any second. */
const SAMPLES_A_SECOND = 5;
/** Of samples that wait to be told. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
const WAITING_MAX = 100;
/** Groups whose number of samples is remembered. */
const KNOWN_MAX = 10_000;

interface Known {
  readonly samples: number;
  readonly takenAt: number;
}

export class SampleTaker {
  #redaction: Redaction;
  #keepMs: number;
  readonly #known = new Map<string, Known>();
  #waiting: NewSample[] = [];
  #waitingBytes = 0;
  #second = 0;
  #takenInSecond = 0;

  /** @param keepMs how long a sample is kept in the record */
  constructor(redaction: Redaction, keepMs: number) {
    this.#redaction = redaction;
    this.#keepMs = keepMs;
  }

  configure(redaction: Redaction, keepMs: number): void {
    this.#redaction = redaction;
    this.#keepMs = keepMs;
  }

  /** @param isOfGroup whether a difference of the read belongs to the group */
  offer(group: string, read: ComparedRead, at: number, isOfGroup: (difference: Difference) => boolean): void {
    if (!this.#isWanted(group, read, at)) return;
    this.#takenInSecond += 1;
    const sample = encodeSample(takeSample(read, isOfGroup, this.#redaction));
    if (this.#waitingBytes + sample.length > WAITING_BYTES_MAX) return;
    const { verdict } = read;
    this.#waiting.push({ group, at, expiresAt: at + this.#keepMs, verdict, sample });
    this.#waitingBytes += sample.length;
    this.#remember(group, { samples: (this.#known.get(group)?.samples ?? 0) + 1, takenAt: at });
  }

  #isWanted(group: string, { verdict }: ComparedRead, at: number): boolean {
    // What was gone a moment later shows nothing to anybody.
    if (verdict === 'matched' || verdict === 'transient') return false;
    const known = this.#known.get(group);
    if (known !== undefined && known.samples >= SAMPLES_OF_A_GROUP && at - known.takenAt < FRESH_AFTER_MS)
      return false;
    if (this.#waiting.length >= WAITING_MAX) return false;
    const second = Math.floor(at / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#takenInSecond = 0;
    }
    return this.#takenInSecond < SAMPLES_A_SECOND;
  }

  #remember(group: string, known: Known): void {
    this.#known.delete(group);
    this.#known.set(group, known);
    if (this.#known.size <= KNOWN_MAX) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** What the record has, of the groups of a batch; a group that it has no room for wants none. */
  told(samples: ReadonlyMap<string, number>, refused: Iterable<string>, at: number): void {
    for (const [group, count] of samples) {
      this.#remember(group, { samples: count, takenAt: this.#known.get(group)?.takenAt ?? at });
    }
    for (const group of refused) this.#remember(group, { samples: SAMPLES_OF_A_GROUP, takenAt: at });
  }

  /** A group that came back wants samples of what came back. */
  forget(groups: Iterable<string>): void {
    for (const group of groups) this.#known.delete(group);
  }

  /** The samples of these groups; those of other groups wait on. */
  take(groups: ReadonlySet<string>): NewSample[] {
    const taken = this.#waiting.filter(({ group }) => groups.has(group));
    this.#waiting = this.#waiting.filter(({ group }) => !groups.has(group));
    this.#waitingBytes = this.#waiting.reduce((sum, { sample }) => sum + sample.length, 0);
    return taken;
  }
}
