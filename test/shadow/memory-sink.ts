/** Keeps what shadow reads tell, as a test reads it: bodies as text, because they are not to be kept. */
import type { ComparedRead, NoiseRead, ReportSink, ShadowSkip } from '../../src/shadow/report-sink.ts';
import { within } from '../harness/within.ts';

export class MemorySink implements ReportSink {
  readonly reads: ComparedRead[] = [];
  readonly noises: NoiseRead[] = [];
  readonly skips: ShadowSkip[] = [];
  /** The bodies of each read as latin1, authoritative and secondary. */
  readonly bodies: (readonly [string | undefined, string | undefined])[] = [];
  #forgotten = 0;
  #waiters: (() => void)[] = [];

  compared(read: ComparedRead): void {
    const { authoritative, secondary } = read.answers;
    this.reads.push(read);
    this.bodies.push([authoritative.body?.toString('latin1'), secondary.body?.toString('latin1')]);
    this.#changed();
  }

  noise(read: NoiseRead): void {
    this.noises.push(read);
    this.#changed();
  }

  skipped(_route: string, _cohort: string | undefined, reason: ShadowSkip): void {
    this.skips.push(reason);
    this.#changed();
  }

  get told(): number {
    return this.#forgotten + this.reads.length + this.noises.length + this.skips.length;
  }

  /** Keeps the number of what was told, and nothing else. */
  forget(): void {
    this.#forgotten = this.told;
    for (const list of [this.reads, this.noises, this.skips, this.bodies]) list.length = 0;
  }

  /** Waits until so many reads were told, in whatever way. */
  async until(count: number): Promise<void> {
    while (this.told < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.push(resolve);
      await within(promise, `shadow read ${count}; there are ${this.told}`);
    }
  }

  /** Waits for the compared read of that number. */
  async read(number = 1): Promise<ComparedRead> {
    await this.until(number);
    const read = this.reads[number - 1];
    if (read === undefined) throw new Error(`not compared but ${this.skips.join(', ') || 'noise'}`);
    return read;
  }

  /** Waits for the skip of that number. */
  async skip(number = 1): Promise<ShadowSkip> {
    await this.until(number);
    const reason = this.skips[number - 1];
    if (reason === undefined)
      throw new Error(`not skipped but compared: ${this.reads[0]?.verdict ?? 'noise'}`);
    return reason;
  }

  #changed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
