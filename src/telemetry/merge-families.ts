/**
 * Adds up what several processes counted. Pure: arrays in, arrays out.
 */
import type { BucketSeries, Family, Labels, Merge, Sample } from './families.ts';

function keyOf(labels: Labels, suffix = ''): string {
  return JSON.stringify([suffix, labels]);
}

function combine(merge: Merge, a: number, b: number): number {
  switch (merge) {
    case 'sum':
    case 'own':
      return a + b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    default: {
      const never: never = merge;
      return never;
    }
  }
}

function mergeSamples(merge: Merge, lists: readonly (readonly Sample[])[]): Sample[] {
  const merged = new Map<string, Sample>();
  for (const sample of lists.flat()) {
    const key = keyOf(sample.labels, sample.suffix);
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined ? sample : { ...sample, value: combine(merge, before.value, sample.value) },
    );
  }
  return [...merged.values()];
}

function mergeSeries(lists: readonly (readonly BucketSeries[])[]): BucketSeries[] {
  const merged = new Map<string, BucketSeries>();
  for (const series of lists.flat()) {
    const key = keyOf(series.labels);
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined
        ? series
        : {
            labels: series.labels,
            counts: series.counts.map((count, index) => count + (before.counts[index] ?? 0)),
            sum: before.sum + series.sum,
          },
    );
  }
  return [...merged.values()];
}

function mergeTwo(a: Family, b: Family): Family {
  if (a.kind === 'plain' && b.kind === 'plain') {
    return { ...a, samples: mergeSamples(a.merge, [a.samples, b.samples]) };
  }
  if (a.kind === 'buckets' && b.kind === 'buckets' && String(a.bounds) === String(b.bounds)) {
    return { ...a, series: mergeSeries([a.series, b.series]) };
  }
  // Two versions of the program, which a rolling replace never mixes: the first one's form wins.
  return a;
}

/** One list of families from those of several processes, in the order in which names first appear. */
export function mergeFamilies(processes: readonly (readonly Family[])[]): Family[] {
  const merged = new Map<string, Family>();
  for (const family of processes.flat()) {
    const before = merged.get(family.name);
    merged.set(family.name, before === undefined ? family : mergeTwo(before, family));
  }
  return [...merged.values()];
}

/**
 * What stays of a process that ended: its counters and histograms, without which sums would go down. Gauges
 * describe a process that is no more, and so do its own process metrics.
 */
export function lastingFamilies(families: readonly Family[]): Family[] {
  return families.filter(
    (family) => family.kind === 'buckets' || (family.type === 'counter' && family.merge === 'sum'),
  );
}
