/** Shows the guard what the reports are told of comparisons. */
import type { AttemptCounter } from '../guard/attempt-counter.ts';
import type { ComparedRead, NoiseRead, ReportSink, ShadowSkip } from '../shadow/report-sink.ts';

export class CountedComparisons implements ReportSink {
  readonly #sink: ReportSink;
  readonly #counter: Pick<AttemptCounter, 'compared'>;

  constructor(sink: ReportSink, counter: Pick<AttemptCounter, 'compared'>) {
    this.#sink = sink;
    this.#counter = counter;
  }

  compared(read: ComparedRead): void {
    const { cohort, user, verdict } = read;
    // Of an unconfirmed one nobody knows which of the two it would have been.
    if (cohort !== undefined && user !== undefined && verdict !== 'unconfirmed')
      this.#counter.compared(cohort, user, verdict === 'confirmed');
    this.#sink.compared(read);
  }

  noise(read: NoiseRead): void {
    this.#sink.noise(read);
  }

  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void {
    this.#sink.skipped(route, cohort, reason);
  }
}
