/**
 * The counters of the data path. A cell belongs to one combination of labels and is nothing but arrays of
 * numbers: recording a request is a few additions, no map of strings, no allocation, no client library.
 *
 * The number of cells is bounded. Routes come from the configuration and cohorts from the state map, so a
 * normal installation has some dozens; beyond the bound everything is counted under route and cohort `other`.
 */
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Backend, RequestClass } from '../model.ts';
import { counter, type Family, type Sample, seconds } from './families.ts';
import { DURATION_SHAPE, Histogram, OVERHEAD_SHAPE } from './histogram.ts';
import type { Outcome, RequestCell } from './telemetry.ts';

export const CELLS_MAX = 1_000;

/** The label of a route, cohort or backend that the request never got. */
const NONE = 'none';
const OTHER = 'other';

function isErrorCode(name: string): name is ErrorCode {
  return Object.hasOwn(ERRORS, name);
}

const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERRORS).filter(isErrorCode);
const OUTCOMES: readonly Outcome[] = ['1xx', '2xx', '3xx', '4xx', '5xx', ...ERROR_CODES];
const OUTCOME_INDEX = new Map<Outcome, number>(OUTCOMES.map((outcome, index) => [outcome, index]));

interface CellLabels {
  readonly route: string;
  readonly cohort: string;
  readonly backend: string;
  readonly class: string;
}

class Cell implements RequestCell {
  readonly labels: CellLabels;
  readonly outcomes = new Float64Array(OUTCOMES.length);
  readonly duration = new Histogram(DURATION_SHAPE);
  /** Shared by all cells: the gateway's own cost does not depend on the labels. */
  readonly #overhead: Histogram;

  constructor(labels: CellLabels, overhead: Histogram) {
    this.labels = labels;
    this.#overhead = overhead;
  }

  record(outcome: Outcome, durationMs: number, overheadMs: number): void {
    const index = OUTCOME_INDEX.get(outcome) ?? 0;
    this.outcomes[index] = (this.outcomes[index] ?? 0) + 1;
    this.duration.observe(durationMs);
    this.#overhead.observe(overheadMs);
  }
}

/** The cells of one route and cohort, by backend and class: six places, looked up by arithmetic. */
type Places = (Cell | undefined)[];

function placeOf(backend: Backend | undefined, requestClass: RequestClass): number {
  const side = backend === undefined ? 0 : backend === 'legacy' ? 2 : 4;
  return requestClass === 'read' ? side : side + 1;
}

export class Cells {
  readonly #byRoute = new Map<string, Map<string | undefined, Places>>();
  readonly #other: Places = [];
  readonly #all: Cell[] = [];
  readonly #overhead = new Histogram(OVERHEAD_SHAPE);
  readonly #max: number;

  /** @param max the bound on cells with labels of their own; `other` may take six more. */
  constructor(max: number = CELLS_MAX) {
    this.#max = max;
  }

  cell(
    route: string,
    cohort: string | undefined,
    backend: Backend | undefined,
    requestClass: RequestClass,
  ): RequestCell {
    const place = placeOf(backend, requestClass);
    const places = this.#byRoute.get(route)?.get(cohort);
    return places?.[place] ?? this.#create(route, cohort, backend, requestClass, place);
  }

  #create(
    route: string,
    cohort: string | undefined,
    backend: Backend | undefined,
    requestClass: RequestClass,
    place: number,
  ): RequestCell {
    const full = this.#all.length >= this.#max;
    const places = full ? this.#other : this.#placesOf(route, cohort);
    const known = places[place];
    if (known !== undefined) return known;
    const labels = {
      route: full ? OTHER : route,
      cohort: full ? OTHER : (cohort ?? NONE),
      backend: backend ?? NONE,
      class: requestClass,
    };
    const cell = new Cell(labels, this.#overhead);
    places[place] = cell;
    this.#all.push(cell);
    return cell;
  }

  #placesOf(route: string, cohort: string | undefined): Places {
    let cohorts = this.#byRoute.get(route);
    if (cohorts === undefined) {
      cohorts = new Map();
      this.#byRoute.set(route, cohorts);
    }
    let places = cohorts.get(cohort);
    if (places === undefined) {
      places = [];
      cohorts.set(cohort, places);
    }
    return places;
  }

  families(): Family[] {
    return [
      counter('turnout_requests_total', 'Requests that ended, by how they ended.', this.#requests()),
      this.#errors(),
      seconds(
        'turnout_request_duration_seconds',
        'From the head of a request to the end of its answer.',
        DURATION_SHAPE.boundsS,
        this.#all.map(({ labels, duration }) => ({ labels: { ...labels }, histogram: duration })),
      ),
      seconds(
        'turnout_overhead_seconds',
        'The part of a request spent in the gateway before the backend had it.',
        OVERHEAD_SHAPE.boundsS,
        [{ labels: {}, histogram: this.#overhead }],
      ),
    ];
  }

  #requests(): Sample[] {
    const samples: Sample[] = [];
    for (const { labels, outcomes } of this.#all) {
      for (const [index, value] of outcomes.entries()) {
        const outcome = OUTCOMES[index];
        // An outcome that never was is left out: 31 lines for each cell would be noise.
        if (value > 0 && outcome !== undefined) samples.push({ labels: { ...labels, outcome }, value });
      }
    }
    return samples;
  }

  /** Derived from the outcomes, so that the two can never disagree. Every code is listed, with 0 too. */
  #errors(): Family {
    const samples = ERROR_CODES.map((code) => {
      const index = OUTCOME_INDEX.get(code) ?? 0;
      const [stage = '', side = ''] = ERRORS[code].stage.split(', ');
      const value = this.#all.reduce((sum, cell) => sum + (cell.outcomes[index] ?? 0), 0);
      return { labels: { code, stage, side }, value };
    });
    return counter('turnout_errors_total', 'Failed requests, by code and by where it happened.', samples);
  }
}
