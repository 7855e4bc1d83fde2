/** Counts what became of the traffic generator's requests, and writes it down for people. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { STEPS, type Step, type StepName } from './user-steps.ts';

/** Who answered: a shop by its `x-shop` header, else the gateway itself; nobody when there was no answer. */
const ANSWERERS = ['legacy', 'new', 'gateway', 'nobody'] as const;
export type Answerer = (typeof ANSWERERS)[number];

export interface Observation {
  readonly step: StepName;
  readonly method: Step['method'];
  readonly user: string;
  readonly answerer: Answerer;
  /** 0 when there was no whole answer. */
  readonly status: number;
  /** Why there was no whole answer. */
  readonly failure: string | undefined;
  readonly durationMs: number;
}

export interface Counts {
  readonly requests: number;
  readonly ok: number;
  readonly clientErrors: number;
  readonly serverErrors: number;
  readonly failures: number;
}

class Cell {
  requests = 0;
  ok = 0;
  clientErrors = 0;
  serverErrors = 0;
  failures = 0;
  /** Microseconds. */
  readonly durations: RecordableHistogram = createHistogram();

  add({ status, failure, durationMs }: Observation): void {
    this.requests += 1;
    this.durations.record(Math.max(1, Math.round(durationMs * 1000)));
    if (failure !== undefined) this.failures += 1;
    else if (status >= 500) this.serverErrors += 1;
    else if (status >= 400) this.clientErrors += 1;
    else this.ok += 1;
  }

  counts(): Counts {
    const { requests, ok, clientErrors, serverErrors, failures } = this;
    return { requests, ok, clientErrors, serverErrors, failures };
  }
}

export class Tally {
  readonly #total = new Cell();
  readonly #byAnswerer = new Map<Answerer, Cell>(ANSWERERS.map((answerer) => [answerer, new Cell()]));
  readonly #byRow = new Map<string, Cell>();
  readonly #failures = new Map<string, number>();
  #interval = new Cell();
  #intervalByAnswerer = new Map<Answerer, number>();

  add(observation: Observation): void {
    const { step, answerer, failure } = observation;
    this.#total.add(observation);
    this.#interval.add(observation);
    this.#byAnswerer.get(answerer)?.add(observation);
    this.#intervalByAnswerer.set(answerer, (this.#intervalByAnswerer.get(answerer) ?? 0) + 1);
    if (failure !== undefined) this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
    const key = rowKey(step, answerer);
    const row = this.#byRow.get(key) ?? new Cell();
    this.#byRow.set(key, row);
    row.add(observation);
  }

  total(): Counts {
    return this.#total.counts();
  }

  answeredBy(answerer: Answerer): Counts {
    return (this.#byAnswerer.get(answerer) ?? new Cell()).counts();
  }

  /** One line on what happened since the last one. @param intervalS how long that is, in seconds */
  line(elapsedS: number, intervalS: number): string {
    const { requests, ok, clientErrors, serverErrors, failures, durations } = this.#interval;
    const by = (answerer: Answerer): number => this.#intervalByAnswerer.get(answerer) ?? 0;
    const parts = [
      `${elapsedS.toFixed(0).padStart(4)} s`,
      `${(requests / intervalS).toFixed(0)} requests/s`,
      `legacy ${by('legacy')}, new ${by('new')}${by('gateway') > 0 ? `, gateway ${by('gateway')}` : ''}`,
      `2xx ${ok}, 4xx ${clientErrors}, 5xx ${serverErrors}, errors ${failures}`,
      requests === 0
        ? 'no answers'
        : `p50 ${ms(durations.percentile(50))}, p95 ${ms(durations.percentile(95))}`,
    ];
    this.#interval = new Cell();
    this.#intervalByAnswerer = new Map();
    return parts.join('  |  ');
  }

  /** The final table: a row for each step and each backend that answered it, then the sums. */
  table(): string[] {
    const rows: string[][] = [];
    for (const step of STEPS) {
      for (const answerer of ANSWERERS) {
        const cell = this.#byRow.get(rowKey(step, answerer));
        if (cell !== undefined) rows.push(tableRow(step, answerer, cell));
      }
    }
    for (const [answerer, cell] of this.#byAnswerer) {
      if (cell.requests > 0) rows.push(tableRow('all', answerer, cell));
    }
    const head = ['step', 'answered by', 'requests', '2xx', '4xx', '5xx', 'errors', 'mean', 'p95', 'max'];
    const failures = [...this.#failures].map(([reason, count]) => `${count} × ${reason}`);
    const listed = failures.length === 0 ? [] : [`errors: ${failures.join(', ')}`];
    return [...aligned([head, ...rows]), ...listed];
  }
}

function rowKey(step: StepName, answerer: Answerer): string {
  return `${step}\n${answerer}`;
}

function tableRow(step: string, answerer: Answerer, cell: Cell): string[] {
  const { requests, ok, clientErrors, serverErrors, failures, durations } = cell;
  const counts = [requests, ok, clientErrors, serverErrors, failures].map(String);
  return [step, answerer, ...counts, ms(durations.mean), ms(durations.percentile(95)), ms(durations.max)];
}

function ms(microseconds: number): string {
  const value = microseconds / 1000;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

/** The first two columns are words, to the left; the rest are figures, to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column < 2 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
