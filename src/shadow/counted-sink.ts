/** Counts what is told to the reports, and keeps what goes wrong there away from whoever tells. */
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ComparedRead, NoiseRead, ReportSink, ShadowSkip } from './report-sink.ts';

export class CountedSink implements ReportSink {
  readonly #sink: ReportSink;
  readonly #telemetry: Pick<Telemetry, 'shadowRead' | 'shadowSkipped'>;
  readonly #onDefect: (error: unknown) => void;

  constructor(
    sink: ReportSink,
    telemetry: Pick<Telemetry, 'shadowRead' | 'shadowSkipped'>,
    onDefect: (error: unknown) => void,
  ) {
    this.#sink = sink;
    this.#telemetry = telemetry;
    this.#onDefect = onDefect;
  }

  compared(read: ComparedRead): void {
    this.#telemetry.shadowRead(read.route, read.cohort, read.verdict);
    this.#tell(() => this.#sink.compared(read));
  }

  noise(read: NoiseRead): void {
    this.#telemetry.shadowRead(read.route, read.cohort, 'noise');
    this.#tell(() => this.#sink.noise(read));
  }

  skipped(route: string, cohort: string | undefined, reason: ShadowSkip): void {
    this.#telemetry.shadowSkipped(reason);
    this.#tell(() => this.#sink.skipped(route, cohort, reason));
  }

  #tell(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#onDefect(error);
    }
  }
}
