/**
 * Metrics as data: what one process counted, in a form that crosses a process boundary as JSON, can be added
 * up over workers, and is rendered as text at the very end.
 */
import type { Histogram } from './histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** One line of the text form. `suffix` is put behind the family's name. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: string;
}

export interface BucketSeries {
  readonly labels: Labels;
  /** Observations by bucket, not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/**
 * How the values of several workers become one. `own`: they stay apart, by a `worker` label, and those of a
 * dead worker are forgotten.
 */
export type Merge = 'sum' | 'min' | 'max' | 'own';

export type Family =
  | {
      readonly kind: 'plain';
      readonly name: string;
      readonly help: string;
      readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
      readonly merge: Merge;
      readonly samples: readonly Sample[];
    }
  | {
      readonly kind: 'buckets';
      readonly name: string;
      readonly help: string;
      /** Upper bounds, ascending, without the last, infinite one. */
      readonly bounds: readonly number[];
      readonly series: readonly BucketSeries[];
    };

export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { kind: 'plain', name, help, type: 'counter', merge: 'sum', samples };
}

export function gauge(name: string, help: string, merge: Merge, samples: readonly Sample[]): Family {
  return { kind: 'plain', name, help, type: 'gauge', merge, samples };
}

/** A histogram in seconds, from ones that were filled in milliseconds. All have the shape of `bounds`. */
export function seconds(
  name: string,
  help: string,
  bounds: readonly number[],
  histograms: readonly { readonly labels: Labels; readonly histogram: Histogram }[],
): Family {
  const series = histograms.map(({ labels, histogram }) => ({
    labels,
    counts: [...histogram.counts],
    sum: histogram.sumMs / 1_000,
  }));
  return { kind: 'buckets', name, help, bounds, series };
}
