/**
 * What Node and the operating system say of one process: memory, CPU, event loop, garbage collection. The
 * one place that uses prom-client, whose collectors know where to read all that.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Family, Labels, Sample } from './families.ts';

/** The sampling interval of the event loop's delay: 20 ms is 50 timers a second, and enough to see a stall. */
const LOOP_SAMPLE_MS = 20;

/** By type of handle and request; the number of types has no bound of ours, so they stay out. */
const UNBOUNDED = ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'];

const TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const;

function labelsOf(labels: object, worker: string): Labels {
  const named = Object.entries(labels).map(([name, value]): [string, string] => [name, String(value)]);
  return Object.fromEntries([...named, ['worker', worker]]);
}

export class ProcessMetrics {
  readonly #registry = new Registry();
  readonly #worker: string;

  /** @param worker the label that keeps the processes of one gateway apart: a small number, or `primary`. */
  constructor(worker: string) {
    this.#worker = worker;
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
    for (const name of UNBOUNDED) this.#registry.removeSingleMetric(name);
  }

  async families(): Promise<Family[]> {
    const metrics = await this.#registry.getMetricsAsJSON();
    return metrics.map((metric) => {
      // The library declares an enumeration here; what it delivers is the lower-case word.
      const type = TYPES.find((name) => name === String(metric.type)) ?? 'gauge';
      const samples = metric.values.map((value): Sample => {
        const labels = labelsOf(value.labels, this.#worker);
        const full = 'metricName' in value ? value.metricName : undefined;
        const suffix = typeof full === 'string' ? full.slice(metric.name.length) : '';
        return { labels, value: value.value, suffix };
      });
      return { kind: 'plain', name: metric.name, help: metric.help, type, merge: 'own', samples };
    });
  }

  close(): void {
    this.#registry.clear();
  }
}
