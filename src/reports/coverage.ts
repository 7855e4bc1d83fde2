/** What was compared how often, what was not and why, and what never was. Pure. */
import { type LatencyFigures, LatencySketch } from './latency-sketch.ts';
import type { ComparisonTotal, CoverageRow, PairCounts } from './report-store.ts';
import { type Share, shareOf } from './statistics.ts';

/** A route of the configuration. */
export interface ReportedRoute {
  readonly name: string;
  /** Whether its reads are compared at all. */
  readonly isShadowed: boolean;
}

export interface CoverageOfRoute {
  readonly route: string;
  /** Empty for requests without one. */
  readonly cohort: string;
  readonly compared: number;
  readonly matched: Share;
  readonly confirmed: number;
  readonly transient: number;
  readonly flapping: number;
  readonly unconfirmed: number;
  readonly noiseReads: number;
  /** Reads with a difference for which no group was kept: there were too many different ones. */
  readonly ungrouped: number;
  /** By reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface Coverage {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly CoverageOfRoute[];
  /** Shadowed routes of which no read was ever compared, of any cohort or of the cohort that was asked for. */
  readonly never: readonly string[];
  /** Routes whose reads are not to be compared. */
  readonly notShadowed: readonly string[];
}

export function coverageOf(
  rows: readonly CoverageRow[],
  totals: readonly ComparisonTotal[],
  routes: readonly ReportedRoute[],
  period: { readonly from: number; readonly to: number },
): Coverage {
  const compared = new Set(totals.filter((total) => total.compared > 0).map(({ route }) => route));
  return {
    ...period,
    rows: rows.map(coverageRow),
    never: routes.filter(({ name, isShadowed }) => isShadowed && !compared.has(name)).map(({ name }) => name),
    notShadowed: routes.filter(({ isShadowed }) => !isShadowed).map(({ name }) => name),
  };
}

type Counted = Exclude<keyof PairCounts, 'route' | 'cohort' | 'authoritative' | 'latency'>;

function coverageRow({ route, cohort, pairs, sides }: CoverageRow): CoverageOfRoute {
  const sum = (column: Counted): number => pairs.reduce((total, pair) => total + pair[column], 0);
  const skipped = [...sides].flatMap(([what, count]): [string, number][] =>
    what.startsWith('skip:') ? [[what.slice('skip:'.length), count]] : [],
  );
  return {
    route,
    cohort,
    compared: sum('compared'),
    matched: shareOf(sum('matched'), sum('compared')),
    confirmed: sum('confirmed'),
    transient: sum('transient'),
    flapping: sum('flapping'),
    unconfirmed: sum('unconfirmed'),
    noiseReads: sides.get('noise_reads') ?? 0,
    ungrouped: sides.get('ungrouped') ?? 0,
    skipped: Object.fromEntries(skipped.sort(([, a], [, b]) => b - a)),
  };
}

export interface RouteLatency {
  readonly route: string;
  readonly authoritative: 'legacy' | 'new';
  readonly figures: LatencyFigures;
}

/** By route and direction, over all cohorts of the rows. */
export function latenciesOf(rows: readonly CoverageRow[]): readonly RouteLatency[] {
  const sketches = new Map<
    string,
    { route: string; authoritative: 'legacy' | 'new'; sketch: LatencySketch }
  >();
  for (const { route, authoritative, latency } of rows.flatMap(({ pairs }) => pairs)) {
    const key = `${authoritative}\0${route}`;
    const known = sketches.get(key) ?? { route, authoritative, sketch: new LatencySketch() };
    known.sketch.merge(latency);
    sketches.set(key, known);
  }
  return [...sketches.values()].flatMap(({ sketch, ...rest }) => {
    const figures = sketch.figures();
    return figures === undefined ? [] : [{ ...rest, figures }];
  });
}
