/** What tripped, in a sentence for the audit and for people. Pure. */
import type { Condition, Figures, Metric } from './condition.ts';

const NAMES: Readonly<Record<Metric, string>> = {
  errorRate: 'the share of failed requests',
  meanLatencyMs: 'the mean latency',
  p50LatencyMs: 'the median latency',
  p90LatencyMs: 'the 90th percentile of latency',
  p99LatencyMs: 'the 99th percentile of latency',
  stalledShare: 'the share of requests without an answer',
  mismatchShare: 'the share of confirmed mismatches',
  mirrorBacklog: 'the number of writes that wait to be mirrored',
};

/** A metric as people call it: `the share of failed requests`. */
export function metricInWords(metric: Metric): string {
  return NAMES[metric];
}

function isShare(metric: Metric): boolean {
  return metric === 'errorRate' || metric === 'stalledShare' || metric === 'mismatchShare';
}

/** A value of a metric with its unit. */
export function valueInWords(metric: Metric, value: number | undefined): string {
  if (value === undefined) return 'unknown';
  if (isShare(metric)) return `${(value * 100).toFixed(1)} %`;
  return metric === 'mirrorBacklog' ? `${Math.round(value)} writes` : `${Math.round(value)} ms`;
}

export function tripInWords(
  { name, metric, windowMs }: Condition,
  path: 'overwhelming' | 'windows',
  figures: Figures,
): string {
  const { value, lower, threshold, requests, kinds, gateways } = figures;
  const least = lower === undefined ? '' : `, at least ${valueInWords(metric, lower)}`;
  const failed = Object.entries(kinds)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
  const seen =
    path === 'overwhelming'
      ? 'shown beyond doubt'
      : `in ${figures.windowsOver} windows of ${windowMs / 1_000} s`;
  return (
    `condition ${name}: ${metricInWords(metric)} at new was ${valueInWords(metric, value)}${least}, ` +
    `over ${valueInWords(metric, threshold)}, ${seen}; ${requests} requests` +
    `${failed === '' ? '' : `, failed: ${failed}`}; ${gateways.length} gateways reported`
  );
}
